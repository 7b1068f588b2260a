// /v1/warning-suspensions/{id}: one suspension of virus warnings, and its end.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { deleteSuspension, endSuspension, findSuspension } from '@sekimori/store/warning-suspension-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { problemResponses } from '../problem-responses.ts'
import { noSuchSuspension, readEnd, Suspension, SuspensionChange, suspensionOver } from './suspension-input.ts'

const tags = ['warning suspensions']
const params = Type.Object({ id: Type.String() })
const path = '/warning-suspensions/:id'

export const suspensionRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const shown = { params, response: { 200: Suspension, ...problemResponses('not-found') } }
    app.get(path, { schema: { tags, summary: 'Show a warning suspension', ...shown } }, async (request) => {
      const id = requireId(request.params.id)
      return (await findSuspension(database, id)) ?? noSuchSuspension(id)
    })

    const response = { 200: Suspension, ...problemResponses('invalid', 'not-found', 'suspension-over') }
    const change = { tags, summary: 'End a suspension, or set its end', params, body: SuspensionChange, response }
    app.patch(path, { schema: change }, async (request) => {
      const id = requireId(request.params.id)
      const result = await endSuspension(database, id, readEnd(request.body))
      switch (result.kind) {
        case 'changed':
          return result.suspension
        case 'unknown':
          return noSuchSuspension(id)
        case 'over':
          throw suspensionOver(id)
      }
    })

    const removed = { params, response: { 204: Type.Null(), ...problemResponses('not-found') } }
    const removal = 'Remove a suspension and its count; the message trace keeps what it kept back'
    app.delete(path, { schema: { tags, summary: removal, ...removed } }, async (request, reply) => {
      const id = requireId(request.params.id)
      if (!(await deleteSuspension(database, id))) noSuchSuspension(id)
      return reply.code(204).send(null)
    })
  }

function requireId(text: string): string {
  return /^\d{1,18}$/.test(text) ? text : noSuchSuspension(text)
}
