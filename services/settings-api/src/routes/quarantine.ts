// /v1/quarantine: what is known of mail that was set aside. There is no call that returns content, in no form (S1-20).
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { Envelope, Session } from '@sekimori/mail/job'
import { findQuarantined, listQuarantine } from '@sekimori/store/quarantine-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { Problem } from '../problem.ts'
import { problemResponses } from '../problem-responses.ts'
import { instant, queueId, readInstant } from './parameters.ts'

const Summary = Type.Object(
  {
    subject: Type.Optional(Type.String()),
    from: Type.Optional(Type.String()),
    to: Type.Optional(Type.String()),
    date: Type.Optional(Type.String()),
    messageId: Type.Optional(Type.String()),
  },
  { description: 'header fields as the sender of the virus mail wrote them: data of a stranger, not to be trusted' },
)
const QuarantinedMail = Type.Object({
  queueId: Type.String(),
  direction: Type.Enum(['submission', 'inbound'], { description: 'submission: sent by an account' }),
  signature: Type.String({ description: 'name of what was found' }),
  engine: Type.String({ description: 'engine and version of its signatures' }),
  envelope: Envelope,
  session: Session,
  summary: Summary,
  sizeBytes: Type.Integer(),
  quarantinedAt: Type.String({ format: 'date-time' }),
})
const tags = ['quarantine']
const metadataOnly = 'Metadata only: quarantined content is never handed out.'

export const quarantineRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const querystring = listingQuery({
      from: instant('set aside at or after this time'),
      to: instant('set aside before this time'),
    })
    const response = { 200: pageOf(QuarantinedMail), ...problemResponses() }
    const listing = {
      tags,
      summary: 'List quarantined mail, newest first',
      description: metadataOnly,
      querystring,
      response,
    }
    app.get('/quarantine', { schema: listing }, async ({ query }) => {
      const period = { from: readInstant(query.from, 'from'), to: readInstant(query.to, 'to') }
      const page = await listQuarantine(database, period, readPage(query, keyPart.micros, keyPart.text, keyPart.text))
      return showPage(page, (mail) => mail)
    })

    const params = Type.Object({ queueId: queueId('of the mail') })
    const found = { 200: Type.Object({ items: Type.Array(QuarantinedMail) }), ...problemResponses('not-found') }
    const description = `${metadataOnly} As a rule there is one item; a mail that was stopped in both directions has two.`
    const showing = { tags, summary: 'Show what was set aside of a mail', description, params, response: found }
    app.get('/quarantine/:queueId', { schema: showing }, async (request) => {
      const items = await findQuarantined(database, request.params.queueId)
      if (items.length > 0) return { items }
      throw new Problem('not-found', {
        en: `Nothing of mail ${request.params.queueId} is in quarantine.`,
        ja: `メール ${request.params.queueId} は隔離されていません。`,
      })
    })
  }
