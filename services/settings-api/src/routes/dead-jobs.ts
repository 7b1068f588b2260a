// /v1/dead-jobs: jobs that a stage gave up. Operators see what they are about, never content, and replay or drop them.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { decodeMessage } from '@sekimori/queue/codec'
import { everyQueue } from '@sekimori/queue/queues'
import { findDeadJob, listDeadJobs, orderReplay } from '@sekimori/store/dead-job-admin'
import { dropDeadJob } from '@sekimori/store/dead-job-drop'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'
import { queueId } from './parameters.ts'

const tags = ['dead jobs']
const path = '/dead-jobs/:id'
const params = Type.Object({ id: Type.String({ pattern: '^[0-9a-f]{32}$', description: 'id of the dead job' }) })
const metadataOnly = 'Metadata only, never content.'

const DeadJob = Type.Object({
  id: Type.String(),
  queue: Type.String({ description: 'whose consumer gave it up' }),
  state: Type.Enum(['dead', 'replaying']),
  reason: Type.String({ description: 'why: the last error' }),
  diedAt: Type.String({ format: 'date-time' }),
  sizeBytes: Type.Integer({ description: 'of the message' }),
  queueId: Type.Optional(Type.String({ description: 'this and the rest is absent when it can not be decoded' })),
  notice: Type.Optional(Type.String({ description: 'of a notice that is to be written: what it is about' })),
  direction: Type.Optional(Type.String()),
  mailFrom: Type.Optional(Type.String()),
  account: Type.Optional(Type.String({ description: 'the account that sent the mail, if one did' })),
  recipients: Type.Optional(Type.Array(Type.String())),
  messageId: Type.Optional(Type.String()),
})
const Dropped = Type.Object({
  recipients: Type.Array(Type.String(), { description: 'those for whom the mail ended by this; the trace has them' }),
})

export const deadJobRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const querystring = listingQuery({
      queue: Type.Optional(Type.Enum(everyQueue.map(({ name }) => name))),
      queueId: Type.Optional(queueId('of the mail')),
    })
    const listed = { 200: pageOf(DeadJob), ...problemResponses() }
    const listing = { tags, summary: 'List dead jobs, newest first', description: metadataOnly, querystring }
    app.get('/dead-jobs', { schema: { ...listing, response: listed } }, async ({ query }) => {
      const page = readPage(query, keyPart.micros, keyPart.text)
      return showPage(await listDeadJobs(database, query, page), (job) => job)
    })

    const found = { 200: DeadJob, ...problemResponses('not-found') }
    const showing = { tags, summary: 'Show a dead job', description: metadataOnly, params, response: found }
    app.get(path, { schema: showing }, async ({ params: { id } }) => (await findDeadJob(database, id)) ?? notThere(id))

    const replay = {
      tags,
      summary: 'Give a dead job to its queue once more',
      description:
        'It happens within seconds; then the job is no longer listed. If it fails again it is a new dead job.',
      params,
      response: { 202: DeadJob, ...problemResponses('not-found') },
    }
    app.post(`${path}/replay`, { schema: replay }, async ({ params: { id } }, reply) => {
      if (!(await orderReplay(database, id))) notThere(id)
      return reply.code(202).send((await findDeadJob(database, id)) ?? notThere(id))
    })

    const drop = {
      tags,
      summary: 'Drop a dead job',
      description:
        'The mail ends for each recipient for whom it has not ended yet; the trace says so (stage dead). A release from quarantine goes back there.',
      params,
      querystring: Type.Object(
        {
          notify: Type.Optional(
            Type.Boolean({ description: 'send a DSN to the sender, if an account: default false' }),
          ),
        },
        { additionalProperties: false },
      ),
      response: { 200: Dropped, ...problemResponses('not-found', 'dead-job-replaying') },
    }
    app.delete(path, { schema: drop }, async ({ params: { id }, query }) => {
      const dropping = await dropDeadJob(database, id, query.notify === true ? contentOf : undefined)
      switch (dropping.kind) {
        case 'dropped':
          return { recipients: dropping.recipients }
        case 'unknown':
          return notThere(id)
        case 'replaying':
          throw new Problem('dead-job-replaying', {
            en: `Dead job ${id} is being replayed.`,
            ja: `失敗したジョブ ${id} は再実行中です。`,
          })
      }
    })
  }

/** It could be decoded when it was kept. */
function contentOf(queue: string, octets: Buffer) {
  return decodeMessage(everyQueue.find(({ name }) => name === queue)!, octets).content
}

function notThere(id: string): never {
  throw new Problem('not-found', { en: `There is no dead job ${id}.`, ja: `失敗したジョブ ${id} はありません。` })
}
