// /v1/domains/{name}/delivery and /v1/lists/{address}/settings: how a domain's and a list's mail is delivered.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import {
  findDomainDelivery,
  findListSettings,
  setDomainDelivery,
  setListSettings,
} from '@sekimori/store/delivery-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { readAddress } from '../name-input.ts'
import { problemResponses } from '../problem-responses.ts'
import { addresses, requireOutside, requireTargets } from './delivery-target.ts'
import { noSuchDomain, requireDomain } from './domains.ts'
import { noSuchList } from './list.ts'

const quota = Type.Union([Type.Integer({ minimum: 1 }), Type.Null()], {
  description: 'octets that the maildrop of an account may hold which has no quota of its own; null: no limit',
})
const plusAddressing = Type.Boolean({ description: 'whether mail to name+anything@ is for name@' })
const Delivery = Type.Object({ plusAddressing, accountQuotaBytes: quota })
const DeliveryChange = Type.Object(
  { plusAddressing: Type.Optional(plusAddressing), accountQuotaBytes: Type.Optional(quota) },
  { additionalProperties: false, minProperties: 1 },
)
const posting = Type.Enum(['anyone', 'members', 'owners'], { description: 'who may post; owners always may' })
const refusal = Type.Union(
  [Type.String({ minLength: 1, maxLength: 200, pattern: '^[\\u0020-\\u007e]*$' }), Type.Null()],
  { description: 'what those are told who may not post (ASCII: it is a reply line); null: our words' },
)
const owners = addresses('who gets bounces and mail to -owner; without any, the postmaster of the domain', 100)
const outsideMembers = addresses('members who have no account here', 10_000)
const Settings = Type.Object({ posting, refusalText: refusal, owners, outsideMembers })
const SettingsChange = Type.Object(
  {
    posting: Type.Optional(posting),
    refusalText: Type.Optional(refusal),
    owners: Type.Optional(owners),
    outsideMembers: Type.Optional(outsideMembers),
  },
  { additionalProperties: false, minProperties: 1 },
)
const domainParams = Type.Object({ name: Type.String() })
const listParams = Type.Object({ address: Type.String({ description: 'may be percent-encoded UTF-8' }) })

export const deliverySettingsRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const ofDomain = { tags: ['domains'], params: domainParams }
    const shown = { ...ofDomain, response: { 200: Delivery, ...problemResponses('not-found') } }
    const path = '/domains/:name/delivery'
    app.get(path, { schema: { summary: "Show how a domain's mail is delivered", ...shown } }, async (request) => {
      const { name } = await requireDomain(database, request.params.name)
      return (await findDomainDelivery(database, name)) ?? noSuchDomain(name)
    })
    const answer = { 200: Delivery, ...problemResponses('invalid', 'not-found') }
    const changing = { summary: "Change how a domain's mail is delivered", body: DeliveryChange, response: answer }
    app.patch(path, { schema: { ...ofDomain, ...changing } }, async (request) => {
      const { name } = await requireDomain(database, request.params.name)
      return (await setDomainDelivery(database, name, request.body)) ?? noSuchDomain(name)
    })

    const ofList = { tags: ['lists'], params: listParams }
    const listPath = '/lists/:address/settings'
    const showing = { summary: "Show a list's settings", response: { 200: Settings, ...problemResponses('not-found') } }
    app.get(listPath, { schema: { ...ofList, ...showing } }, async (request) => {
      const address = requireListAddress(request.params.address)
      return (await findListSettings(database, address)) ?? noSuchList(address)
    })
    const response = { 200: Settings, ...problemResponses('invalid', 'not-found') }
    const change = { summary: "Change a list's settings", body: SettingsChange, response }
    app.patch(listPath, { schema: { ...ofList, ...change } }, async (request) => {
      const address = requireListAddress(request.params.address)
      const { owners: people, outsideMembers: outside, ...rest } = request.body
      const found = await setListSettings(database, address, {
        ...rest,
        owners: people && (await requireTargets(database, people, '/owners')),
        outsideMembers: outside && (await requireOutside(database, outside, '/outsideMembers')),
      })
      return found ?? noSuchList(address)
    })
  }

function requireListAddress(text: string): string {
  return readAddress(text) ?? noSuchList(text)
}
