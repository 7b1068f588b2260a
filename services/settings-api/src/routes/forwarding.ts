// /v1/accounts/{address}/forwarding and /quota: where an account's mail goes besides its maildrop, and how much that holds.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { findForwarding, findQuota, setForwarding, setQuota } from '@sekimori/store/delivery-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { problemResponses } from '../problem-responses.ts'
import { noSuchAccount, accountParams as params, requireAccountAddress } from './account-input.ts'
import { addresses, requireTargets } from './delivery-target.ts'

const Forwarding = Type.Object(
  {
    targets: addresses('where the mail goes as well, here or elsewhere; none: nowhere', 20),
    keepsCopy: Type.Boolean({ description: 'whether a copy stays in the maildrop; without targets one always does' }),
  },
  { additionalProperties: false },
)
const bytes = (description: string) => Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], { description })
const Quota = Type.Object({
  quotaBytes: bytes("the account's own; null when its domain decides"),
  effectiveQuotaBytes: bytes('what holds; null without a limit'),
  usedBytes: Type.Integer(),
  messages: Type.Integer(),
})
const QuotaChange = Type.Object({ quotaBytes: bytes('null leaves it to the domain') }, { additionalProperties: false })
const tags = ['accounts']
const forwarding = '/accounts/:address/forwarding'
const quota = '/accounts/:address/quota'

export const forwardingRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const shown = { params, response: { 200: Forwarding, ...problemResponses('not-found') } }
    app.get(forwarding, { schema: { tags, summary: "Show an account's forwarding", ...shown } }, async (request) => {
      const address = requireAccountAddress(request.params.address)
      return (await findForwarding(database, address)) ?? noSuchAccount(address)
    })

    const response = { 200: Forwarding, ...problemResponses('invalid', 'not-found') }
    const replacing = { tags, summary: "Replace an account's forwarding", params, body: Forwarding, response }
    app.put(forwarding, { schema: replacing }, async (request) => {
      const address = requireAccountAddress(request.params.address)
      const targets = await requireTargets(database, request.body.targets, '/targets')
      const change = { targets, keepsCopy: request.body.keepsCopy }
      if (!(await setForwarding(database, address, change))) noSuchAccount(address)
      return (await findForwarding(database, address)) ?? noSuchAccount(address)
    })

    const full = { params, response: { 200: Quota, ...problemResponses('not-found') } }
    app.get(quota, { schema: { tags, summary: 'Show how full a maildrop is', ...full } }, async (request) => {
      const address = requireAccountAddress(request.params.address)
      return (await findQuota(database, address)) ?? noSuchAccount(address)
    })

    const changed = { 200: Quota, ...problemResponses('invalid', 'not-found') }
    const changing = { tags, summary: "Change an account's quota", params, body: QuotaChange, response: changed }
    app.patch(quota, { schema: changing }, async (request) => {
      const address = requireAccountAddress(request.params.address)
      if (!(await setQuota(database, address, request.body.quotaBytes))) noSuchAccount(address)
      return (await findQuota(database, address)) ?? noSuchAccount(address)
    })
  }
