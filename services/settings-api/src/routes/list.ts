// /v1/lists/{address}: one mailing list.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { deleteList, findList, replaceListMembers } from '@sekimori/store/list-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { readAddress } from '../name-input.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'
import { ListWithMembers, Members, requireMembers, unknownMembers } from './list-input.ts'

const NewMembers = Type.Object({ members: Members }, { additionalProperties: false })
const params = Type.Object({ address: Type.String({ description: 'may be percent-encoded UTF-8' }) })
const tags = ['lists']

export const oneListRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const shown = { params, response: { 200: ListWithMembers, ...problemResponses('not-found') } }
    const showing = 'Show a mailing list with its members'
    app.get('/lists/:address', { schema: { tags, summary: showing, ...shown } }, async (request) => {
      const address = requireListAddress(request.params.address)
      return (await findList(database, address)) ?? noSuchList(address)
    })

    const response = { 200: ListWithMembers, ...problemResponses('invalid', 'not-found', 'unknown-members') }
    const replacement = { tags, summary: 'Replace the members of a mailing list', params, body: NewMembers, response }
    app.put('/lists/:address/members', { schema: replacement }, async (request) => {
      const address = requireListAddress(request.params.address)
      const members = requireMembers(request.body.members)
      const result = await replaceListMembers(database, address, members)
      switch (result.kind) {
        case 'replaced':
          return result.list
        case 'unknown':
          return noSuchList(address)
        case 'unknown-members':
          throw unknownMembers(members, result.addresses)
      }
    })

    const removed = { params, response: { 204: Type.Null(), ...problemResponses('not-found') } }
    app.delete(
      '/lists/:address',
      { schema: { tags, summary: 'Remove a mailing list', ...removed } },
      async (request, reply) => {
        const address = requireListAddress(request.params.address)
        if (!(await deleteList(database, address))) noSuchList(address)
        return reply.code(204).send(null)
      },
    )
  }

function requireListAddress(text: string): string {
  return readAddress(text) ?? noSuchList(text)
}

export function noSuchList(address: string): never {
  throw new Problem('not-found', {
    en: `There is no mailing list ${address}.`,
    ja: `メーリングリスト ${address} はありません。`,
  })
}
