// /v1/quarantine: what is known of mail that was set aside. There is no call that returns content, in no form (S1-20).
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { recordAccess } from '@sekimori/store/quarantine-access'
import { findQuarantined, listQuarantine } from '@sekimori/store/quarantine-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { problemResponses } from '../problem-responses.ts'
import { instant, readInstant } from './parameters.ts'
import { listFilter, metadataOnly, notInQuarantine, QuarantinedMail, quarantineParams } from './quarantine-input.ts'

const tags = ['quarantine']
const key = [keyPart.micros, keyPart.text, keyPart.text, keyPart.text]

export const quarantineRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const querystring = listingQuery({
      from: instant('set aside at or after this time'),
      to: instant('set aside before this time'),
      ...listFilter,
    })
    const listing = {
      tags,
      summary: 'List quarantined mail, newest first',
      description: metadataOnly,
      querystring,
      response: { 200: pageOf(QuarantinedMail), ...problemResponses() },
    }
    app.get('/quarantine', { schema: listing }, async ({ query, apiKeyId }) => {
      const filter = { ...query, from: readInstant(query.from, 'from'), to: readInstant(query.to, 'to') }
      const page = readPage(query, ...key)
      const { cursor: _, ...detail } = query
      await recordAccess(database, { apiKeyId, action: 'list', detail })
      return showPage(await listQuarantine(database, filter, page), (mail) => mail)
    })

    const found = { 200: Type.Object({ items: Type.Array(QuarantinedMail) }), ...problemResponses('not-found') }
    const description = `${metadataOnly} As a rule there is one item; a mail that was stopped in both directions, or for several reasons, has more.`
    const showing = {
      tags,
      summary: 'Show what was set aside of a mail',
      description,
      params: quarantineParams,
      response: found,
    }
    app.get('/quarantine/:queueId', { schema: showing }, async ({ params: { queueId }, apiKeyId }) => {
      await recordAccess(database, { apiKeyId, action: 'show', queueId, detail: {} })
      const items = await findQuarantined(database, queueId)
      return items.length > 0 ? { items } : notInQuarantine(queueId)
    })
  }
