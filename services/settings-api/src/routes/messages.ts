// /v1/messages: the message trace, "where is my mail?". Metadata only.
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { parseVerdict, verdictKinds } from '@sekimori/authentication/sender-verdict'
import { verdictText } from '@sekimori/authentication/verdict-text'
import { timeOfQueueId } from '@sekimori/mail/queue-id'
import { RemoteReply } from '@sekimori/mail/remote-reply'
import { searchTrace, type TracedEnd } from '@sekimori/store/trace-admin'
import Type from 'typebox'
import type { Context } from '../app.ts'
import { traceScope } from '../caller.ts'
import { invalidValue } from '../invalid-value.ts'
import { keyPart, listingQuery, pageOf, readPage, showPage } from '../page-query.ts'
import { problemResponses } from '../problem-responses.ts'
import { instant, queueId, readInstant, searchText } from './parameters.ts'

const time = Type.String({ format: 'date-time' })
const MessageEnd = Type.Object({
  queueId: Type.String(),
  acceptedAt: time,
  endedAt: Type.Optional(time),
  direction: Type.String({ description: 'submission, inbound or outbound' }),
  mailFrom: Type.String({ description: 'reverse-path; empty for reports and warnings' }),
  recipient: Type.String(),
  account: Type.Optional(Type.String({ description: 'the account that sent it, if one did' })),
  messageId: Type.Optional(Type.String()),
  stage: Type.String({ description: 'where the mail ended for this recipient, or waits' }),
  outcome: Type.String({
    description:
      'delivered, expanded (a list), sent, bounced, quarantined, refused (in the session, by DMARC), dropped or deferred-expired, cancelled; of a warning: dropped (switched off), suspended or capped; of mail that was set aside unchecked: held, released (a further item tells its end), deleted or expired; deferred while it waits for its next delivery attempt; under-way while it lies in a queue, stuck when its job was given up and an operator must decide',
  }),
  detail: Type.Optional(Type.String({ description: "the remote server's last reply, what was found, or why" })),
  via: Type.Optional(Type.String({ description: 'the alias, list or forwarding account that led to this recipient' })),
  senderVerdict: Type.Optional(
    Type.Object(
      {
        kind: Type.Enum([...verdictKinds]),
        from: Type.Optional(Type.String({ description: 'the domain of the From field' })),
        resembles: Type.Array(Type.String(), {
          description: 'domains that the recipient knows and that it looks like',
        }),
        ja: Type.String(),
        en: Type.String(),
      },
      { description: 'of mail that reached a maildrop: what its owner was told about the sender' },
    ),
  ),
  history: Type.Array(
    Type.Object({
      stage: Type.String(),
      at: time,
      outcome: Type.String(),
      remote: Type.Optional(RemoteReply),
    }),
  ),
  waiting: Type.Optional(
    Type.Object(
      {
        attempts: Type.Integer({ description: 'attempts made so far' }),
        nextAttemptAt: time,
        expiresAt: time,
        isHeld: Type.Boolean({ description: 'held by an operator' }),
        isInHand: Type.Boolean({ description: 'an attempt is under way' }),
      },
      { description: 'of mail that waits for its next delivery attempt: there is no endedAt yet' },
    ),
  ),
})
const querystring = listingQuery({
  queueId: Type.Optional(queueId('that the 250 reply named')),
  messageId: searchText(998, 'Message-ID, with or without angle brackets'),
  address: searchText(320, 'recipient, reverse-path or sending account'),
  outcome: searchText(50, 'how it ended'),
  since: instant('accepted at or after this time'),
  until: instant('accepted before this time'),
})
const description =
  'One item for each recipient of accepted mail, newest mail first, with what each stage did to it. ' +
  'Mail that waits for the next delivery attempt is listed with the outcome deferred, the last reply and the time of that attempt; ' +
  'mail that has been in a queue for longer than two seconds with the outcome under-way and what its first stage noted. Metadata only, never content. A token of an operator sees the mail of its domains; that of an account sees what it received and what ' +
  'it sent, for the recipients that it named.'

export const messageRoutes =
  ({ database }: Context): FastifyPluginAsyncTypebox =>
  async (app) => {
    const response = { 200: pageOf(MessageEnd), ...problemResponses() }
    const summary = 'Search the message trace'
    app.get(
      '/messages',
      { schema: { tags: ['messages'], summary, description, querystring, response }, config: { isOpenToTokens: true } },
      async ({ query, caller }) => {
        const filter = { ...query, ...readPeriod(query) }
        const page = await searchTrace(
          database,
          filter,
          readPage(query, keyPart.text, keyPart.text, keyPart.text),
          traceScope(caller),
        )
        return showPage(page, showEnd)
      },
    )
  }

function readPeriod(query: { since?: string; until?: string }) {
  const since = readInstant(query.since, 'since')
  const until = readInstant(query.until, 'until')
  if (since !== undefined && until !== undefined && until <= since)
    throw invalidValue('bad-request', '/until', {
      en: 'must be later than since',
      ja: 'since より後の日時でなければなりません',
    })
  return { since, until }
}

function showEnd(end: TracedEnd) {
  const acceptedAt = new Date(timeOfQueueId(end.queueId)).toISOString()
  const history = end.history.map((entry) => ({ ...entry, at: new Date(entry.at).toISOString() }))
  const senderVerdict = verdictIn(end)
  return { ...end, acceptedAt, ...(senderVerdict === undefined ? {} : { senderVerdict }), history }
}

function verdictIn({ history }: TracedEnd) {
  const entry = history.find(({ stage }) => stage === 'sender-verdict')
  const verdict = entry === undefined ? undefined : parseVerdict(entry.outcome)
  if (verdict === undefined) return undefined
  const { kind, from, resembles } = verdict
  return { kind, ...(from === undefined ? {} : { from }), resembles, ...verdictText(verdict) }
}
