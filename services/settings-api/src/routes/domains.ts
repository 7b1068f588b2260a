// /v1/domains: the domains that have accounts and lists here.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@sekimori/store/database'
import { dmarcPolicies } from '@sekimori/store/dmarc-policy'
import { createDomain, type Domain, deleteDomain, findDomain, listDomains } from '@sekimori/store/domain-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { readDomainName, requireDomainName } from '../name-input.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'

export const DomainShape = Type.Object({
  name: Type.String({ description: 'lower case, internationalised names as A-labels' }),
  createdAt: Type.String({ format: 'date-time' }),
  dmarcPolicy: Type.Enum([...dmarcPolicies]),
})
const NewDomain = Type.Object({ name: Type.String({ maxLength: 253 }) }, { additionalProperties: false })
const params = Type.Object({ name: Type.String() })
const tags = ['domains']

export const domainRoutes =
  ({ database, masterKey }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const created = { 201: DomainShape, ...problemResponses('invalid', 'domain-exists') }
    const summary = 'Add a domain and make its DKIM keys'
    app.post('/domains', { schema: { tags, summary, body: NewDomain, response: created } }, async (request, reply) => {
      const name = requireDomainName(request.body.name, '/name')
      const creation = await createDomain(database, name, masterKey)
      switch (creation.kind) {
        case 'created':
          return reply.code(201).header('location', `/v1/domains/${name}`).send(creation.domain)
        case 'exists':
          throw new Problem('domain-exists', {
            en: `The domain ${name} is here already.`,
            ja: `ドメイン ${name} は既に登録されています。`,
          })
      }
    })

    const listing = { querystring: listingQuery({}), response: { 200: pageOf(DomainShape), ...problemResponses() } }
    app.get('/domains', { schema: { tags, summary: 'List the domains', ...listing } }, async (request) => {
      return showPage(await listDomains(database, readPage(request.query, keyPart.text)), (domain) => domain)
    })

    const found = { params, response: { 200: DomainShape, ...problemResponses('not-found') } }
    app.get('/domains/:name', { schema: { tags, summary: 'Show a domain', ...found } }, async (request) => {
      return requireDomain(database, request.params.name)
    })

    const removed = { params, response: { 204: Type.Null(), ...problemResponses('not-found', 'domain-in-use') } }
    const summaryOfRemoval = 'Remove a domain that has no accounts and no lists, and its DKIM keys'
    app.delete(
      '/domains/:name',
      { schema: { tags, summary: summaryOfRemoval, ...removed } },
      async (request, reply) => {
        await removeDomain(database, request.params.name)
        return reply.code(204).send(null)
      },
    )
  }

async function removeDomain(database: Database, text: string): Promise<void> {
  const name = readDomainName(text) ?? noSuchDomain(text)
  const removal = await deleteDomain(database, name)
  switch (removal.kind) {
    case 'deleted':
      return
    case 'unknown':
      return noSuchDomain(name)
    case 'in-use':
      throw domainInUse(name, removal.accounts, removal.lists)
  }
}

/** The domain of a path. @throws Problem when it is not here */
export async function requireDomain(database: Database, text: string): Promise<Domain> {
  const name = readDomainName(text)
  const domain = name === undefined ? undefined : await findDomain(database, name)
  return domain ?? noSuchDomain(text)
}

export function noSuchDomain(name: string): never {
  throw new Problem('not-found', { en: `There is no domain ${name}.`, ja: `ドメイン ${name} はありません。` })
}

function domainInUse(name: string, accounts: number, lists: number): Problem {
  return new Problem('domain-in-use', {
    en: `The domain ${name} still has accounts (${accounts}) or lists (${lists}); delete them first.`,
    ja: `ドメイン ${name} にはアカウント（${accounts} 件）またはメーリングリスト（${lists} 件）が残っています。先に削除してください。`,
  })
}
