// /v1/lists: mailing lists, whose members are local accounts.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { createList, listLists } from '@sekimori/store/list-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { requireAddress } from '../name-input.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { problemResponses } from '../problem-responses.ts'
import { addressRefused } from './address-refused.ts'
import { domainFilter, readDomainFilter } from './domain-filter.ts'
import { List, ListWithMembers, Members, requireMembers, unknownMembers } from './list-input.ts'

const NewList = Type.Object(
  {
    address: Type.String(),
    name: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 200,
        pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$',
        description: 'as people know the list; its address unless told',
      }),
    ),
    members: Members,
  },
  { additionalProperties: false },
)
const tags = ['lists']

export const listRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const refusals = problemResponses('invalid', 'unknown-domain', 'unknown-members', 'address-taken')
    const creation = {
      tags,
      summary: 'Add a mailing list',
      body: NewList,
      response: { 201: ListWithMembers, ...refusals },
    }
    app.post('/lists', { schema: creation }, async ({ body }, reply) => {
      const address = requireAddress(body.address, '/address')
      const members = requireMembers(body.members)
      const result = await createList(database, { address, name: body.name ?? address, members })
      switch (result.kind) {
        case 'created':
          reply.header('location', `/v1/lists/${encodeURIComponent(address)}`)
          return reply.code(201).send(result.list)
        case 'refused':
          throw addressRefused(address, result.because)
        case 'unknown-members':
          throw unknownMembers(members, result.addresses)
      }
    })

    const querystring = listingQuery(domainFilter)
    const listing = { querystring, response: { 200: pageOf(List), ...problemResponses() } }
    app.get('/lists', { schema: { tags, summary: 'List mailing lists by address', ...listing } }, async ({ query }) => {
      const page = await listLists(database, readDomainFilter(query), readPage(query, keyPart.text))
      return showPage(page, (item) => item)
    })
  }
