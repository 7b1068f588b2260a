// /v1/aliases: addresses that stand for others. `*@domain` takes what no other address of the domain takes.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { createAlias, deleteAlias, findAlias, listAliases, replaceAliasTargets } from '@sekimori/store/alias-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { readAddress, requireAddress } from '../name-input.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'
import { addressRefused } from './address-refused.ts'
import { addresses, requireTargets } from './delivery-target.ts'
import { domainFilter, readDomainFilter } from './domain-filter.ts'

const targets = addresses('where its mail goes: accounts, lists and aliases here, and addresses elsewhere', 1_000, 1)
const Alias = Type.Object({
  address: Type.String({ description: '*@domain for the one that takes the rest of a domain' }),
  domain: Type.String(),
  targets: Type.Array(Type.String()),
  createdAt: Type.String({ format: 'date-time' }),
})
const NewAlias = Type.Object({ address: Type.String(), targets }, { additionalProperties: false })
const NewTargets = Type.Object({ targets }, { additionalProperties: false })
const params = Type.Object({ address: Type.String({ description: 'may be percent-encoded UTF-8' }) })
const tags = ['aliases']

export const aliasRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const refusals = problemResponses('invalid', 'unknown-domain', 'address-taken')
    const creation = { tags, summary: 'Add an alias', body: NewAlias, response: { 201: Alias, ...refusals } }
    app.post('/aliases', { schema: creation }, async ({ body }, reply) => {
      const address = requireAddress(body.address, '/address')
      const result = await createAlias(database, address, await requireTargets(database, body.targets, '/targets'))
      switch (result.kind) {
        case 'created':
          reply.header('location', `/v1/aliases/${encodeURIComponent(address)}`)
          return reply.code(201).send(result.alias)
        case 'refused':
          throw addressRefused(address, result.because)
      }
    })

    const querystring = listingQuery(domainFilter)
    const listing = { querystring, response: { 200: pageOf(Alias), ...problemResponses() } }
    app.get('/aliases', { schema: { tags, summary: 'List aliases by address', ...listing } }, async ({ query }) => {
      const page = await listAliases(database, readDomainFilter(query), readPage(query, keyPart.text))
      return showPage(page, (alias) => alias)
    })

    const shown = { params, response: { 200: Alias, ...problemResponses('not-found') } }
    app.get('/aliases/:address', { schema: { tags, summary: 'Show an alias', ...shown } }, async (request) => {
      const address = requireAliasAddress(request.params.address)
      return (await findAlias(database, address)) ?? noSuchAlias(address)
    })

    const response = { 200: Alias, ...problemResponses('invalid', 'not-found') }
    const replacement = { tags, summary: 'Replace the targets of an alias', params, body: NewTargets, response }
    app.put('/aliases/:address/targets', { schema: replacement }, async (request) => {
      const address = requireAliasAddress(request.params.address)
      const found = await requireTargets(database, request.body.targets, '/targets')
      return (await replaceAliasTargets(database, address, found)) ?? noSuchAlias(address)
    })

    const removed = { params, response: { 204: Type.Null(), ...problemResponses('not-found') } }
    const removal = { tags, summary: 'Remove an alias', ...removed }
    app.delete('/aliases/:address', { schema: removal }, async (request, reply) => {
      const address = requireAliasAddress(request.params.address)
      if (!(await deleteAlias(database, address))) noSuchAlias(address)
      return reply.code(204).send(null)
    })
  }

function requireAliasAddress(text: string): string {
  return readAddress(text) ?? noSuchAlias(text)
}

function noSuchAlias(address: string): never {
  throw new Problem('not-found', { en: `There is no alias ${address}.`, ja: `エイリアス ${address} はありません。` })
}
