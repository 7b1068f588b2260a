// /v1/quarantine-accesses: who looked at, released or deleted what of the quarantine, and when.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { listAccesses } from '@sekimori/store/quarantine-access'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { problemResponses } from '../problem-responses.ts'
import { queueId } from './parameters.ts'

const Access = Type.Object({
  accessedAt: Type.String({ format: 'date-time' }),
  apiKeyId: Type.String({ description: 'names the key that was used, without telling it' }),
  action: Type.Enum(['list', 'show', 'release', 'delete']),
  queueId: Type.Optional(Type.String({ description: 'the mail that was asked about' })),
  detail: Type.Record(Type.String(), Type.Union([Type.String(), Type.Number()]), {
    description: 'the parameters of the call',
  }),
})
const querystring = listingQuery({ queueId: Type.Optional(queueId('of a mail: only the calls about it')) })
const description = 'Every call about quarantined mail, whatever its answer. Rows are only ever added.'

export const quarantineAccessRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const response = { 200: pageOf(Access), ...problemResponses() }
    const summary = 'List who accessed the quarantine, newest first'
    const schema = { tags: ['quarantine'], summary, description, querystring, response }
    app.get('/quarantine-accesses', { schema }, async ({ query }) => {
      const page = await listAccesses(database, query.queueId, readPage(query, keyPart.micros))
      return showPage(page, (access) => access)
    })
  }
