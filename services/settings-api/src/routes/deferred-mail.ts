// /v1/deferred-mail: outbound mail that waits for its next attempt, and operators' orders about it. Metadata only.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { normalizeAddress } from '@sekimori/mail/address'
import { listWaiting, listWaitingDomains, orderWaiting, type WaitingOrder } from '@sekimori/store/deferred-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { operatorDomains } from '../caller.ts'
import { invalidValue } from '../invalid-value.ts'
import { requireDomainName } from '../name-input.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { problemResponses } from '../problem-responses.ts'
import { domainFilter, readDomainFilter } from './domain-filter.ts'
import { queueId, searchText } from './parameters.ts'

const tags = ['deferred mail']
/** An operator's token is for what accounts of its domains sent, and what addresses there handed on. */
const config = { isOpenToOperators: true }
const time = Type.String({ format: 'date-time' })
const Waiting = Type.Object({
  queueId: Type.String(),
  recipient: Type.String(),
  domain: Type.String(),
  mailFrom: Type.String({ description: 'reverse-path; empty for reports and warnings' }),
  acceptedAt: time,
  attempts: Type.Integer({ description: 'attempts made so far' }),
  lastReply: Type.Optional(Type.String({ description: "the remote server's last reply, or why there was none" })),
  nextAttemptAt: time,
  expiresAt: Type.String({ format: 'date-time', description: 'when it is given up and returned to its sender' }),
  isHeld: Type.Boolean({ description: 'held by an operator: not attempted, and not given up, until released' }),
  isInHand: Type.Boolean({ description: 'an attempt is under way' }),
})
const WaitingDomain = Type.Object({
  domain: Type.String(),
  recipients: Type.Integer(),
  held: Type.Integer({ description: 'of them held' }),
  oldestAcceptedAt: time,
  nextAttemptAt: time,
})
const Order = Type.Object(
  {
    action: Type.Union([Type.Literal('retry'), Type.Literal('hold'), Type.Literal('release'), Type.Literal('cancel')]),
    notice: Type.Optional(
      Type.Boolean({ description: 'of cancel: whether the sender gets a DSN; true unless told otherwise' }),
    ),
    queueId: Type.Optional(queueId('of the mail')),
    recipient: Type.Optional(Type.String({ minLength: 1, maxLength: 320, description: 'only for this recipient' })),
    domain: Type.Optional(Type.String({ maxLength: 253, description: 'for every recipient of this domain' })),
  },
  { additionalProperties: false },
)
const Ordered = Type.Object({ recipients: Type.Integer({ description: 'how many the order is for' }) })

export const deferredMailRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const querystring = listingQuery({
      ...domainFilter,
      queueId: Type.Optional(queueId('of the mail')),
      recipient: searchText(320, 'its recipient'),
    })
    const listing = { tags, summary: 'List recipients whose mail waits, the oldest mail first', querystring }
    const listed = { 200: pageOf(Waiting), ...problemResponses() }
    app.get('/deferred-mail', { schema: { ...listing, response: listed }, config }, async ({ query, caller }) => {
      const ofDomains = operatorDomains(caller)
      const filter = { ...query, recipient: forms(query.recipient), domain: readDomainFilter(query), ofDomains }
      return showPage(await listWaiting(database, filter, readPage(query, keyPart.text, keyPart.text)), (item) => item)
    })

    const summing = { tags, summary: 'List the domains that mail waits for', querystring: listingQuery({}) }
    const summed = { 200: pageOf(WaitingDomain), ...problemResponses() }
    app.get(
      '/deferred-mail/domains',
      { schema: { ...summing, response: summed }, config },
      async ({ query, caller }) => {
        const page = await listWaitingDomains(database, readPage(query, keyPart.text), operatorDomains(caller))
        return showPage(page, (item) => item)
      },
    )

    const ordering = {
      tags,
      summary: 'Order waiting mail: attempt it now, hold it, release it, or give it up',
      description:
        'For the recipients that all of queueId, recipient and domain name; one of queueId and domain is needed. ' +
        'An operator’s token reaches the mail of its domains. The answer comes before the order is carried out. An attempt that is under way goes on: mail that is given up meanwhile may still arrive, and then ends as sent.',
      body: Order,
      response: { 202: Ordered, ...problemResponses('invalid') },
    }
    app.post('/deferred-mail/orders', { schema: ordering, config }, async ({ body, caller }, reply) => {
      if (body.queueId === undefined && body.domain === undefined) throw unnamed()
      const domain = body.domain === undefined ? undefined : requireDomainName(body.domain, '/domain')
      const ofDomains = operatorDomains(caller)
      const filter = { queueId: body.queueId, recipient: forms(body.recipient), domain, ofDomains }
      return reply.code(202).send({ recipients: await orderWaiting(database, filter, orderOf(body)) })
    })
  }

function orderOf({
  action,
  notice = true,
}: {
  action: 'retry' | 'hold' | 'release' | 'cancel'
  notice?: boolean
}): WaitingOrder {
  if (action !== 'cancel') return action
  return notice ? 'return' : 'drop'
}

function forms(recipient: string | undefined): string | undefined {
  return recipient === undefined ? undefined : normalizeAddress(recipient)
}

function unnamed() {
  return invalidValue('invalid', '/queueId', {
    en: 'is needed, or a domain: an order names the mail that it is for',
    ja: 'または domain が必要です。対象のメールを指定してください',
  })
}
