// /v1/reporting: whether DMARC aggregate reports and TLS reports are sent, and which ones were.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { findDomain } from '@sekimori/store/domain-admin'
import { listReports } from '@sekimori/store/report-admin'
import { changeReporting, findReporting } from '@sekimori/store/reporting'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { invalidValue } from '../invalid-value.ts'
import { requireDomainName } from '../name-input.ts'
import { listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { problemResponses } from '../problem-responses.ts'

const tags = ['reporting']
const shape = {
  dmarc: Type.Boolean({ description: 'DMARC aggregate reports (RFC 9990) are sent to the domains that ask for them' }),
  tls: Type.Boolean({ description: 'SMTP TLS reports (RFC 8460) are sent to the domains that ask for them' }),
  senderDomain: Type.String({
    description: 'the domain of ours in whose name reports are sent, signed with its DKIM keys; needed to send any',
  }),
}
const Reporting = Type.Object({ ...shape, senderDomain: Type.Optional(shape.senderDomain) })
const Change = Type.Partial(Type.Object(shape), { additionalProperties: false })
const Report = Type.Object({
  day: Type.String({ format: 'date', description: 'the UTC day that it is about' }),
  kind: Type.Union([Type.Literal('dmarc'), Type.Literal('tls')]),
  domain: Type.String({ description: 'the domain that it is about' }),
  state: Type.Enum(['waiting', 'sent', 'capped', 'unwanted', 'failed'], {
    description:
      "capped: the day's share of report mails was used up; unwanted: there is no destination that may be used; failed: given up after a day",
  }),
  detail: Type.Optional(Type.String()),
  settledAt: Type.Optional(Type.String({ format: 'date-time' })),
  deliveries: Type.Array(
    Type.Object({
      destination: Type.String(),
      queueId: Type.Optional(Type.String({ description: 'of the mail, for /v1/messages' })),
      deliveredAt: Type.Optional(Type.String({ format: 'date-time', description: 'when it was handed on' })),
    }),
  ),
})
const keyParts = [/^\d{4}-\d\d-\d\d$/, /^(dmarc|tls)$/, /^[^\0]{1,255}$/]

export const reportingRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const showing = {
      tags,
      summary: 'Show whether reports are sent',
      response: { 200: Reporting, ...problemResponses() },
    }
    app.get('/reporting', { schema: showing }, () => findReporting(database))

    const changing = { tags, summary: 'Have reports sent, or not', body: Change }
    const changed = { 200: Reporting, ...problemResponses('invalid') }
    app.patch('/reporting', { schema: { ...changing, response: changed } }, async ({ body }) => {
      const before = await findReporting(database)
      const senderDomain = body.senderDomain && requireDomainName(body.senderDomain, '/senderDomain')
      if (senderDomain !== undefined && (await findDomain(database, senderDomain)) === undefined)
        throw invalidValue('invalid', '/senderDomain', {
          en: 'is no domain of ours',
          ja: '当システムのドメインではありません',
        })
      if ((body.dmarc || body.tls) && (senderDomain ?? before.senderDomain) === undefined)
        throw invalidValue('invalid', '/senderDomain', {
          en: 'must be named before reports are sent',
          ja: 'レポートを送信するには、差出人のドメインを指定してください',
        })
      return changeReporting(database, { ...body, senderDomain })
    })

    const domain = Type.Optional(Type.String({ maxLength: 255, description: 'reports about this domain only' }))
    const listing = { tags, summary: 'List the reports, the newest first', querystring: listingQuery({ domain }) }
    const listed = { 200: pageOf(Report), ...problemResponses('bad-request') }
    app.get('/reports', { schema: { ...listing, response: listed } }, async ({ query }) =>
      showPage(
        await listReports(database, query.domain?.toLowerCase(), readPage(query, ...keyParts)),
        (report) => report,
      ),
    )
  }
