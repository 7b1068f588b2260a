// /v1/accounts/{address}/sending-limits: how much an account may send, and how much of it is used.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  changeLimits,
  effectiveLimits,
  type OwnLimits,
  ownLimits,
  type SendingLimits,
} from '@sekimori/store/sending-limit'
import { currentUsage } from '@sekimori/store/usage'
import type { UsageKind } from '@sekimori/store/usage-counter'
import Type, { type Static } from 'typebox'
import type { Context } from '../app.ts'
import { problemResponses } from '../problem-responses.ts'
import { noSuchAccount, accountParams as params, requireAccountAddress } from './account-input.ts'

const MOST = Number.MAX_SAFE_INTEGER
const Limit = Type.Object({
  limit: Type.Integer(),
  isOwn: Type.Boolean({ description: 'false: the limit of the settings' }),
})
const CountedLimit = Type.Object({
  ...Limit.properties,
  used: Type.Integer({ description: 'in the current hour or day (UTC); up to a second behind' }),
})
const Limits = Type.Object({
  mailsPerHour: CountedLimit,
  recipientsPerHour: CountedLimit,
  recipientsPerDay: CountedLimit,
  bytesPerDay: CountedLimit,
  maxMessageBytes: Limit,
})
const change = (minimum: number) =>
  Type.Optional(
    Type.Union([Type.Integer({ minimum, maximum: MOST }), Type.Null()], { description: 'null: as in the settings' }),
  )
const LimitsChange = Type.Object(
  {
    mailsPerHour: change(0),
    recipientsPerHour: change(0),
    recipientsPerDay: change(0),
    bytesPerDay: change(0),
    maxMessageBytes: change(1),
  },
  { additionalProperties: false, minProperties: 1 },
)
const tags = ['accounts']
const path = '/accounts/:address/sending-limits'

export const sendingLimitRoutes =
  ({ database, sendingLimits }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const show = async (address: string, own: OwnLimits) =>
      showLimits(effectiveLimits(sendingLimits, own), own, await currentUsage(database, address))

    const shown = { params, response: { 200: Limits, ...problemResponses('not-found') } }
    app.get(path, { schema: { tags, summary: 'Show how much an account may send', ...shown } }, async (request) => {
      const address = requireAccountAddress(request.params.address)
      return show(address, (await ownLimits(database, address)) ?? noSuchAccount(address))
    })

    const response = { 200: Limits, ...problemResponses('invalid', 'not-found') }
    const changed = { params, body: LimitsChange, response }
    app.patch(
      path,
      { schema: { tags, summary: 'Change how much an account may send', ...changed } },
      async (request) => {
        const address = requireAccountAddress(request.params.address)
        return show(address, (await changeLimits(database, address, request.body)) ?? noSuchAccount(address))
      },
    )
  }

function showLimits(limits: SendingLimits, own: OwnLimits, usage: Map<string, number>): Static<typeof Limits> {
  const limit = (name: keyof SendingLimits) => ({ limit: limits[name], isOwn: own[name] !== null })
  const counted = (name: keyof SendingLimits, kind: UsageKind) => ({ ...limit(name), used: usage.get(kind) ?? 0 })
  return {
    mailsPerHour: counted('mailsPerHour', 'mails-hour'),
    recipientsPerHour: counted('recipientsPerHour', 'recipients-hour'),
    recipientsPerDay: counted('recipientsPerDay', 'recipients-day'),
    bytesPerDay: counted('bytesPerDay', 'bytes-day'),
    maxMessageBytes: limit('maxMessageBytes'),
  }
}
