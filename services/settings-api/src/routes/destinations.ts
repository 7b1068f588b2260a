// /v1/destinations: what operators decide about domains that mail goes to: pauses, and the encryption that is demanded.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { isWaitedFor } from '@sekimori/store/deferred-admin'
import { changeDestination, findDestination, forgetDestination, listDestinations } from '@sekimori/store/destination'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { type Caller, operatorDomains } from '../caller.ts'
import { readDomainName, requireDomainName } from '../name-input.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'

const tags = ['destinations']
const Tls = Type.Union([Type.Literal('opportunistic'), Type.Literal('encrypted'), Type.Literal('verified')], {
  description:
    'opportunistic: encrypted when that works; encrypted: never in the clear; verified: only to a server whose certificate fits its name. MTA-STS and DANE of the domain may demand more',
})
const Destination = Type.Object({
  domain: Type.String(),
  tls: Tls,
  isPaused: Type.Boolean({ description: 'mail to the domain waits, and is not given up, until this is taken back' }),
  pausedAt: Type.Optional(Type.String({ format: 'date-time' })),
  pauseReason: Type.Optional(Type.String()),
  updatedAt: Type.String({ format: 'date-time' }),
})
const Change = Type.Object(
  {
    tls: Type.Optional(Tls),
    isPaused: Type.Optional(Type.Boolean()),
    pauseReason: Type.Optional(Type.String({ maxLength: 200, pattern: '^[^\\u0000-\\u001f]*$' })),
  },
  { additionalProperties: false },
)
const params = Type.Object({ domain: Type.String() })
/** An operator's token shows what is decided about domains that its mail waits for; to decide is the administrator's. */
const config = { isOpenToOperators: true }

export const destinationRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const listing = {
      tags,
      summary: 'List the domains about which something was decided',
      querystring: listingQuery({}),
    }
    const listed = { 200: pageOf(Destination), ...problemResponses() }
    app.get('/destinations', { schema: { ...listing, response: listed }, config }, async ({ query, caller }) => {
      const page = await listDestinations(database, readPage(query, keyPart.text), operatorDomains(caller))
      return showPage(page, (item) => item)
    })

    const showing = { tags, summary: 'Show what was decided about a domain', params }
    const shown = { 200: Destination, ...problemResponses('not-found') }
    const mayShow = async (name: string, caller: Caller) => {
      const ofDomains = operatorDomains(caller)
      return ofDomains === undefined || (await isWaitedFor(database, name, ofDomains))
    }
    const one = { schema: { ...showing, response: shown }, config }
    app.get('/destinations/:domain', one, async ({ params: { domain }, caller }) => {
      const name = readDomainName(domain)
      const found = name && (await mayShow(name, caller)) ? await findDestination(database, name) : undefined
      return found ?? nothingDecided(domain)
    })

    const changing = { tags, summary: 'Pause a domain, let it go on, or demand encryption', params, body: Change }
    const changed = { 200: Destination, ...problemResponses('invalid') }
    app.patch('/destinations/:domain', { schema: { ...changing, response: changed } }, async ({ params, body }) =>
      changeDestination(database, requireDomainName(params.domain, '/domain'), body),
    )

    const removing = { tags, summary: 'Take back what was decided about a domain', params }
    const removed = { 204: Type.Null(), ...problemResponses('not-found') }
    app.delete('/destinations/:domain', { schema: { ...removing, response: removed } }, async ({ params }, reply) => {
      const name = readDomainName(params.domain)
      if (name === undefined || !(await forgetDestination(database, name))) nothingDecided(params.domain)
      return reply.code(204).send(null)
    })
  }

function nothingDecided(domain: string): never {
  throw new Problem('not-found', {
    en: `Nothing was decided about ${domain}.`,
    ja: `${domain} についての設定はありません。`,
  })
}
