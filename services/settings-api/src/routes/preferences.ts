// /v1/accounts/{address}/preferences: what account owners set in the control panel (S1-28 to S1-32).
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { setVirusWarning } from '@sekimori/store/account-admin'
import { noticePreference } from '@sekimori/store/directory'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { changeMessage, warningOffCaution } from '../preference-text.ts'
import { problemResponses } from '../problem-responses.ts'
import { noSuchAccount, accountParams as params, requireAccountAddress } from './account-input.ts'

const Text = Type.Object({ ja: Type.String(), en: Type.String() })
const Preferences = Type.Object({
  virusWarning: Type.Boolean({
    description: 'whether a warning mail is sent when virus mail is stopped; true unless changed',
  }),
})
const PreferencesChange = Type.Object({ virusWarning: Type.Boolean() }, { additionalProperties: false })
const ChangedPreferences = Type.Object({
  ...Preferences.properties,
  message: Type.Object(Text.properties, { description: 'what to tell the owner of the account' }),
  caution: Type.Optional(Type.Object(Text.properties, { description: 'shown when warnings are off' })),
})
const tags = ['accounts']
const path = '/accounts/:address/preferences'

export const preferenceRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const shown = { params, response: { 200: Preferences, ...problemResponses('not-found') } }
    app.get(path, { schema: { tags, summary: "Show an account's preferences", ...shown } }, async (request) => {
      const address = requireAccountAddress(request.params.address)
      const preference = (await noticePreference(database, address)) ?? noSuchAccount(address)
      return { virusWarning: preference.hasVirusWarning }
    })

    const response = { 200: ChangedPreferences, ...problemResponses('invalid', 'not-found') }
    const changed = { params, body: PreferencesChange, response }
    app.patch(path, { schema: { tags, summary: "Change an account's preferences", ...changed } }, async (request) => {
      const { virusWarning } = request.body
      const address = requireAccountAddress(request.params.address)
      if (!(await setVirusWarning(database, address, virusWarning))) noSuchAccount(address)
      const answer = { virusWarning, message: changeMessage(virusWarning) }
      return virusWarning ? answer : { ...answer, caution: warningOffCaution }
    })
  }
