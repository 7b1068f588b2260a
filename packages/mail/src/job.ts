// One mail on its way through the stages: what every queue but `notify` carries.
import Type, { type Static } from 'typebox'
import type { Content } from './content.ts'
import { UnscannableReason } from './unscannable.ts'
import { Verified } from './verified.ts'

export const Recipient = Type.Object({
  address: Type.String({ minLength: 1 }),
  notify: Type.Optional(Type.Array(Type.String())),
  orcpt: Type.Optional(Type.String()),
})

/** The envelope (RFC 5321, RFC 3461). `mailFrom` is '' for the null reverse-path. */
export const Envelope = Type.Object({
  mailFrom: Type.String(),
  recipients: Type.Array(Recipient),
  envid: Type.Optional(Type.String()),
  ret: Type.Optional(Type.String()),
  bodyType: Type.Optional(Type.String()),
  smtpUtf8: Type.Optional(Type.Boolean()),
  requireTls: Type.Optional(Type.Boolean()),
})

/** How the mail came in. `account` is the authenticated account's address; `internal` mail is our own (warnings, DSNs). */
export const Session = Type.Object({
  receivedBy: Type.Union([Type.Literal('submission'), Type.Literal('mx'), Type.Literal('internal')]),
  clientAddress: Type.Optional(Type.String()),
  ehloName: Type.Optional(Type.String()),
  account: Type.Optional(Type.String()),
})

/** What a stage did: `at` in milliseconds since 1970. */
export const HistoryEntry = Type.Object({ stage: Type.String(), at: Type.Integer(), outcome: Type.String() })

/** The legs of a mail: as sent by an account, on its way to a local maildrop, on its way to another server. */
export const Direction = Type.Union([Type.Literal('submission'), Type.Literal('inbound'), Type.Literal('outbound')])

/**
 * An operator's release of mail that was set aside unscanned: why it was, and which record of the quarantine it comes
 * from. Only the job with the record's own `token` goes on, so that a release that is published twice happens once.
 */
export const Release = Type.Object({
  reason: UnscannableReason,
  direction: Direction,
  kind: Type.Union([Type.Literal('held'), Type.Literal('refused')]),
  token: Type.String({ minLength: 1 }),
})
/** Of a mail of ours that is a virus warning: the queue id under which it was decided that it is to be sent (S1-26). */
export const Warning = Type.Object({ queueId: Type.String({ minLength: 1 }) })

/**
 * Of mail that an alias, an account or a list hands on to somebody outside: `by` is its address, `of` the queue id of the
 * mail as it came, `account` who is told when it can't be delivered.
 */
export const Forwarded = Type.Object({
  by: Type.String({ minLength: 1 }),
  of: Type.String({ minLength: 1 }),
  account: Type.Optional(Type.String()),
})

/**
 * What verification found, in short: the results by name, `from` the Author Domain (undefined when there is not exactly one
 * that can be read), and whether SPF or DKIM passed for it.
 */
export const Authentication = Type.Object({
  spf: Type.String(),
  dkim: Type.String(),
  dmarc: Type.String(),
  arc: Type.Optional(Type.String()),
  from: Type.Optional(Type.String()),
  isAligned: Type.Boolean(),
})

/** A job without its content. `added` are header lines (no CRLF at the end), top first; `struck` flat start, end offsets. */
export const JobHeader = Type.Object({
  queueId: Type.String({ minLength: 1 }),
  direction: Direction,
  acceptedAt: Type.Integer(),
  messageId: Type.Optional(Type.String()),
  envelope: Envelope,
  session: Session,
  added: Type.Array(Type.String()),
  struck: Type.Array(Type.Integer()),
  history: Type.Array(HistoryEntry),
  /** Until it is recorded. */
  verified: Type.Optional(Verified),
  authentication: Type.Optional(Authentication),
  released: Type.Optional(Release),
  warning: Type.Optional(Warning),
  forwarded: Type.Optional(Forwarded),
  /** Recipients outside who get the mail on another leg: no alias or list needs to bring it to them again. */
  reached: Type.Optional(Type.Array(Type.String())),
})

export type Recipient = Static<typeof Recipient>
export type Envelope = Static<typeof Envelope>
export type Session = Static<typeof Session>
export type Direction = Static<typeof Direction>
export type HistoryEntry = Static<typeof HistoryEntry>
export type Authentication = Static<typeof Authentication>
export type Release = Static<typeof Release>
export type JobHeader = Static<typeof JobHeader>
export type Job = JobHeader & { content: Content }

/** The job with one more line of history. */
export function withHistory<T extends JobHeader>(job: T, stage: string, outcome: string, at = Date.now()): T {
  return { ...job, history: [...job.history, { stage, at, outcome }] }
}

/** The job with a header line put above the ones that it has; lines of the same name added earlier are replaced if asked. */
export function withHeader<T extends JobHeader>(job: T, lines: string[], replace?: string): T {
  const prefix = replace === undefined ? undefined : `${replace.toLowerCase()}:`
  const kept = prefix === undefined ? job.added : job.added.filter((line) => !line.toLowerCase().startsWith(prefix))
  return { ...job, added: [...lines, ...kept] }
}
