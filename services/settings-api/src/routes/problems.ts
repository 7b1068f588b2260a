// /problems/{kind}: what the `type` of a problem refers to. Open to all, as the documentation is.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import Type from 'typebox'
import { type ProblemKind, problemKinds } from '../problem.ts'
import { noSuchCall } from '../problem-handler.ts'

const Kind = Type.Object({ status: Type.Integer(), title: Type.String(), titleJa: Type.String() })
const params = Type.Object({ kind: Type.String() })

export const problemRoutes: FastifyPluginAsyncTypebox = async (app) => {
  const schema = { summary: 'Explain a kind of problem', security: [], params, response: { 200: Kind } }
  app.get('/problems/:kind', { schema }, async (request) => {
    const { kind } = request.params
    return Object.hasOwn(problemKinds, kind) ? problemKinds[kind as ProblemKind] : noSuchCall()
  })
}
