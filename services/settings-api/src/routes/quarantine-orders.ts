// /v1/quarantine/{queueId}/release and DELETE: orders about mail in quarantine. The scanner carries them out; this service
// has no key to content. Infected mail is never released, in no form, by nobody (S1-20).
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { Database } from '@sekimori/store/database'
import { recordAccess } from '@sekimori/store/quarantine-access'
import { findQuarantined, type QuarantinedMail as Mail } from '@sekimori/store/quarantine-admin'
import { type Ordering, orderDeletion, orderRelease } from '@sekimori/store/quarantine-order'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'
import { notInQuarantine, quarantineParams as params, QuarantinedMail, recordFilter } from './quarantine-input.ts'

const tags = ['quarantine']
const querystring = Type.Object(recordFilter, { additionalProperties: false })
const ordered = Type.Object({ items: Type.Array(QuarantinedMail) })

export const quarantineOrderRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const release = {
      tags,
      summary: 'Release held or refused mail to its recipients',
      description:
        'The mail is scanned again and, unless a virus is found now, delivered once, with its header saying that it could not be checked. ' +
        'Asked again it is the same release. Infected mail is never released. The answer comes before the delivery; the state turns to released. Each call is recorded.',
      params,
      querystring,
      response: { 202: ordered, ...problemResponses('not-found', 'never-released', 'quarantine-settled') },
    }
    app.post('/quarantine/:queueId/release', { schema: release }, async (request, reply) => {
      const { params, query, apiKeyId } = request
      const { queueId } = params
      await recordAccess(database, { apiKeyId, action: 'release', queueId, detail: query })
      return reply.code(202).send(await answer(database, queueId, await orderRelease(database, queueId, query)))
    })

    const deletion = {
      tags,
      summary: 'Delete quarantined content; the metadata stays',
      description:
        'The sender of held mail, who believes it sent, is told that it was not delivered. Asked again it is the same deletion. Each call is recorded.',
      params,
      querystring,
      response: { 202: ordered, ...problemResponses('not-found', 'quarantine-settled') },
    }
    app.delete('/quarantine/:queueId', { schema: deletion }, async (request, reply) => {
      const { params, query, apiKeyId } = request
      const { queueId } = params
      await recordAccess(database, { apiKeyId, action: 'delete', queueId, detail: query })
      return reply.code(202).send(await answer(database, queueId, await orderDeletion(database, queueId, query)))
    })
  }

async function answer(database: Database, queueId: string, ordering: Ordering): Promise<{ items: Mail[] }> {
  switch (ordering.kind) {
    case 'ordered':
      return { items: await findQuarantined(database, queueId) }
    case 'unknown':
      return notInQuarantine(queueId)
    case 'never':
      throw new Problem('never-released', {
        en: `Mail ${queueId} is infected, or was returned to its sender; it stays where it is.`,
        ja: `メール ${queueId} はウイルスに感染しているか、送信者に返送済みのため、解放できません。`,
      })
    case 'settled':
      throw new Problem('quarantine-settled', {
        en: `Mail ${queueId} has been settled otherwise: ${ordering.state}.`,
        ja: `メール ${queueId} は既に処理されています（${ordering.state}）。`,
      })
  }
}
