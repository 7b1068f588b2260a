// Outbound mail that waits for its next attempt. Any replica leases due recipients; the broker keeps no schedule.

import { domainOf } from '@sekimori/mail/address'
import { type Content, contentHolder } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import type { Notice } from '@sekimori/mail/notice'
import type { RemoteReply } from '@sekimori/mail/remote-reply'
import { batched } from './batch.ts'
import { deleteUnusedContent, releaseContent } from './content.ts'
import type { Database, Queryable } from './database.ts'
import { storableText, toJsonb } from './jsonb.ts'
import { addNotices } from './notice-outbox.ts'
import { insertTrace, type TraceEntry } from './trace.ts'

/** The stage under which outbound mail ends in the trace. */
export const REMOTE_STAGE = 'remote'

/** A recipient whose mail is put off. `attempts` counts the ones made so far. */
export interface Deferral {
  recipient: string
  attempts: number
  lastReply: string
  /** What the server said; absent when this was no attempt. */
  remote?: RemoteReply
  nextAttemptAt: Date
}

/** What became of some recipients of a mail: the ends, and the ones that wait on. */
export interface AttemptResult {
  ended: TraceEntry[]
  deferred: Deferral[]
  /** What the sender is to be told of these ends, which the notifier takes over in the same step. */
  notices?: Notice[]
}

/** Recipients of a mail that need nothing from its job any more: they have ended, or wait in the schedule. */
export async function settledRecipients(database: Queryable, queueId: string): Promise<Set<string>> {
  const { rows } = await database.query<{ recipient: string }>({
    name: 'settled_recipients',
    text: `select recipient from message_trace where queue_id = $1 and stage = '${REMOTE_STAGE}'
           union select recipient from deferred_delivery where queue_id = $1`,
    values: [queueId],
  })
  return new Set(rows.map((row) => row.recipient))
}

/** Writes the ends of recipients that never waited; concurrent calls share a statement. */
export type RecordEnds = (ended: TraceEntry[]) => Promise<void>

/** A function that gathers the ends of concurrent attempts into batches. */
export function openEndRecorder(database: Database): RecordEnds {
  return batched(async (batch) => {
    await insertTrace(database, batch.flat())
    return batch.map(() => undefined)
  })
}

/**
 * Writes the result of an attempt in one transaction: ends to the trace, the rest to the schedule. `job` must have all
 * of the mail's recipients when one is put off for the first time. The job's own hold on stored content stays; see
 * `releaseJob`.
 */
export async function recordAttempt(
  database: Database,
  job: Job,
  result: AttemptResult,
  expiresAt: Date,
): Promise<void> {
  await database.transaction(async (client) => {
    await lockMail(client, job.queueId)
    if (result.ended.length > 0) await insertTrace(client, result.ended)
    if (result.deferred.length > 0) await insertDeferrals(client, job, result.deferred, expiresAt)
    await removeEnded(client, job.queueId)
    for (const notice of result.notices ?? []) await addNotice(client, notice)
  })
}

async function addNotice(client: Queryable, { content, ...header }: Notice): Promise<void> {
  await addNotices(client, [header], content.kind === 'inline' ? content.bytes : Buffer.alloc(0))
}

/** Lets go of stored content that the job holds, when all of its recipients are settled. */
export async function releaseJob(database: Database, { queueId, content, direction }: Job): Promise<void> {
  if (content.kind === 'stored') await releaseContent(database, content.id, contentHolder(queueId, direction))
}

/** Attempts at one mail's destinations end at the same time: one that deletes the mail must not miss a row that another adds. */
async function lockMail(client: Queryable, queueId: string): Promise<void> {
  await client.query('select pg_advisory_xact_lock(hashtextextended($1, 0))', [queueId])
}

async function insertDeferrals(client: Queryable, job: Job, deferred: Deferral[], expiresAt: Date): Promise<void> {
  const { content, ...header } = job
  await client.query(
    'insert into deferred_mail (queue_id, job, content_id) values ($1, $2, $3) on conflict do nothing',
    [job.queueId, toJsonb(header), await keepContent(client, job.queueId, content)],
  )
  await client.query(
    `insert into deferred_delivery (queue_id, recipient, domain, attempts, last_reply, next_attempt_at, expires_at, remote, attempted_at)
     select $1, recipient, domain, attempts, last_reply, next_attempt_at, $7, remote, case when remote is not null then now() end
     from unnest($2::text[], $3::text[], $4::integer[], $5::text[], $6::timestamptz[], $8::jsonb[])
       as put_off (recipient, domain, attempts, last_reply, next_attempt_at, remote)
     where not exists (select from message_trace where queue_id = $1 and message_trace.recipient = put_off.recipient and stage = '${REMOTE_STAGE}')
     on conflict (queue_id, recipient) do update
     set attempts = excluded.attempts, last_reply = excluded.last_reply, leased_until = null,
       remote = coalesce(excluded.remote, deferred_delivery.remote),
       attempted_at = coalesce(excluded.attempted_at, deferred_delivery.attempted_at),
       next_attempt_at = case when deferred_delivery.ordered is null then excluded.next_attempt_at else now() end`,
    [
      job.queueId,
      deferred.map(({ recipient }) => recipient),
      deferred.map(({ recipient }) => domainOf(recipient)),
      deferred.map(({ attempts }) => attempts),
      deferred.map(({ lastReply }) => storableText(lastReply)),
      deferred.map(({ nextAttemptAt }) => nextAttemptAt),
      expiresAt,
      deferred.map(({ remote }) => (remote === undefined ? null : toJsonb(remote))),
    ],
  )
}

/** The id under which the content stays while the mail waits. */
async function keepContent(client: Queryable, queueId: string, content: Content): Promise<string> {
  if (content.kind === 'stored') return content.id
  const id = `${queueId}.deferred`
  await client.query('insert into content (id, size_bytes, bytes) values ($1, $2, $3) on conflict do nothing', [
    id,
    content.bytes.length,
    content.bytes,
  ])
  return id
}

/** Takes ended recipients out of the schedule, and the mail with the last of them. */
async function removeEnded(client: Queryable, queueId: string): Promise<void> {
  await client.query(
    `delete from deferred_delivery using message_trace as ended
     where deferred_delivery.queue_id = $1 and ended.queue_id = $1 and ended.stage = '${REMOTE_STAGE}'
       and ended.recipient = deferred_delivery.recipient`,
    [queueId],
  )
  const { rows } = await client.query<{ content_id: string }>(
    `delete from deferred_mail
     where queue_id = $1 and not exists (select from deferred_delivery where queue_id = $1) returning content_id`,
    [queueId],
  )
  const ids = rows.map((row) => row.content_id)
  if (ids.length > 0) await deleteUnusedContent(client, ids)
}
