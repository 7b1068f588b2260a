// The message trace: where each recipient's mail ended. Written in the transaction of the effect itself.
import type { HistoryEntry, Job } from '@sekimori/mail/job'
import type { RemoteReply } from '@sekimori/mail/remote-reply'
import type { Queryable } from './database.ts'
import { storableText, toJsonb } from './jsonb.ts'

/** An index takes 2,700 octets a row at most, and strangers choose the length of a Message-ID. */
export const INDEXED_LENGTH = 800

/**
 * An end: `stage` is where, `outcome` one of delivered, expanded, sent, bounced, quarantined, refused, dropped, suspended, capped,
 * deferred-expired, cancelled; of mail that was set aside unscanned held, released, deleted, expired.
 */
export interface TraceEntry {
  queueId: string
  recipient: string
  stage: string
  outcome: string
  detail?: string
  mailFrom: string
  account?: string
  messageId?: string
  direction: string
  history: string
  /** The alias, list or forwarding account through which this recipient was reached. */
  via?: string
}

/** A stage as the trace keeps it: of one that spoke with a remote server what that said. */
export type TracedStage = HistoryEntry & { remote?: RemoteReply }

/** The trace entry for the end of one recipient of a job. */
export function traceEntry(
  job: Omit<Job, 'content'>,
  recipient: string,
  stage: string,
  outcome: string,
  detail?: string,
  remote?: RemoteReply,
): TraceEntry {
  const end: TracedStage = { stage, at: Date.now(), outcome, ...(remote === undefined ? {} : { remote }) }
  const history = [...job.history, end]
  const account = job.session.account ?? job.forwarded?.account
  return {
    queueId: job.queueId,
    recipient,
    stage,
    outcome,
    ...(detail === undefined ? {} : { detail: storableText(detail, 1_000) }),
    mailFrom: storableText(job.envelope.mailFrom, INDEXED_LENGTH),
    ...(account === undefined ? {} : { account }),
    ...(job.messageId === undefined ? {} : { messageId: storableText(job.messageId, INDEXED_LENGTH) }),
    direction: job.direction,
    history: toJsonb(history),
    ...(job.forwarded === undefined ? {} : { via: job.forwarded.by }),
  }
}

export const TRACE_COLUMNS =
  'queue_id, recipient, stage, outcome, detail, mail_from, account, message_id, direction, history, via'

/** The entries as one array a column, for `unnest`. */
export function traceArrays(entries: TraceEntry[]): unknown[] {
  const column = (pick: (entry: TraceEntry) => string | undefined) => entries.map((entry) => pick(entry) ?? null)
  return [
    column((entry) => entry.queueId),
    column((entry) => entry.recipient),
    column((entry) => entry.stage),
    column((entry) => entry.outcome),
    column((entry) => entry.detail),
    column((entry) => entry.mailFrom),
    column((entry) => entry.account),
    column((entry) => entry.messageId),
    column((entry) => entry.direction),
    column((entry) => entry.history),
    column((entry) => entry.via),
  ]
}

/** Writes ends; an end that is there already stays as it is. */
export async function insertTrace(client: Queryable, entries: TraceEntry[]): Promise<void> {
  await client.query({
    name: 'insert_trace',
    text: `insert into message_trace (${TRACE_COLUMNS})
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::jsonb[], $11::text[])
           on conflict do nothing`,
    values: traceArrays(entries),
  })
}

/** How the mail has ended at this stage, by recipient. */
export async function endsAtStage(client: Queryable, queueId: string, stage: string): Promise<Map<string, string>> {
  const { rows } = await client.query<{ recipient: string; outcome: string }>({
    name: 'ends_at_stage',
    text: 'select recipient, outcome from message_trace where queue_id = $1 and stage = $2',
    values: [queueId, stage],
  })
  return new Map(rows.map(({ recipient, outcome }) => [recipient, outcome]))
}

/** Those of the recipients whose mail has ended at this stage. */
export async function endedRecipients(client: Queryable, queueId: string, stage: string): Promise<Set<string>> {
  const { rows } = await client.query<{ recipient: string }>({
    name: 'ended_recipients',
    text: 'select recipient from message_trace where queue_id = $1 and stage = $2',
    values: [queueId, stage],
  })
  return new Set(rows.map((row) => row.recipient))
}

/** Writes the end of a mail for all its recipients. */
export async function traceEnd(
  client: Queryable,
  job: Omit<Job, 'content'>,
  stage: string,
  outcome: string,
  detail: string,
): Promise<void> {
  const recipients = job.envelope.recipients.map(({ address }) => address)
  await insertTrace(
    client,
    recipients.map((recipient) => traceEntry(job, recipient, stage, outcome, detail)),
  )
}
