// Outbound mail that waits for its next attempt. Any replica leases due recipients; the broker keeps no schedule.

import { domainOf } from '@sekimori/mail/address'
import { type Content, contentHolder } from '@sekimori/mail/content'
import type { Job, JobHeader } from '@sekimori/mail/job'
import { deleteUnusedContent } from './content.ts'
import type { Database } from './database.ts'
import { insertTrace, type TraceEntry } from './trace.ts'

/** A recipient whose mail is put off. `attempts` counts the ones made so far. */
export interface Deferral {
  recipient: string
  attempts: number
  lastReply: string
  nextAttemptAt: Date
}

/** What became of the recipients of one attempt: the ends, and the ones that wait on. */
export interface AttemptResult {
  ended: TraceEntry[]
  deferred: Deferral[]
}

/** Recipients of one mail that are due together. `job.envelope.recipients` holds only them. */
export interface DueMail {
  job: Job
  attempts: Map<string, number>
  expiresAt: Date
  /** Recipients whose sender has been told of the delay. */
  notified: Set<string>
}

/** Writes the result of an attempt in one transaction: ends to the trace, the rest to the schedule. */
export async function recordAttempt(
  database: Database,
  job: Job,
  result: AttemptResult,
  expiresAt: Date,
): Promise<void> {
  const { queueId, content, direction } = job
  const contentId = content.kind === 'inline' ? `${queueId}.deferred` : content.id
  await database.transaction(async (client) => {
    if (result.ended.length > 0) {
      await insertTrace(client, result.ended)
      const ended = result.ended.map((entry) => entry.recipient)
      await client.query('delete from deferred_delivery where queue_id = $1 and recipient = any($2::text[])', [
        queueId,
        ended,
      ])
    }
    if (result.deferred.length > 0) {
      if (content.kind === 'inline') {
        await client.query('insert into content (id, size_bytes, bytes) values ($1, $2, $3) on conflict do nothing', [
          contentId,
          content.bytes.length,
          content.bytes,
        ])
      }
      const { content: _, ...header } = job
      await client.query(
        'insert into deferred_mail (queue_id, job, content_id) values ($1, $2, $3) on conflict do nothing',
        [queueId, JSON.stringify(header), contentId],
      )
      for (const deferral of result.deferred) {
        await client.query(
          `insert into deferred_delivery (queue_id, recipient, domain, attempts, last_reply, next_attempt_at, expires_at)
           select $1, $2, $3, $4, $5, $6, $7
           where not exists (select from message_trace where queue_id = $1 and recipient = $2 and stage = 'remote')
           on conflict (queue_id, recipient) do update
           set attempts = excluded.attempts, last_reply = excluded.last_reply, next_attempt_at = excluded.next_attempt_at, leased_until = null`,
          [
            queueId,
            deferral.recipient,
            domainOf(deferral.recipient),
            deferral.attempts,
            deferral.lastReply,
            deferral.nextAttemptAt,
            expiresAt,
          ],
        )
      }
    }
    await client.query(
      'delete from deferred_mail where queue_id = $1 and not exists (select from deferred_delivery where queue_id = $1)',
      [queueId],
    )
    await client.query('delete from content_use where content_id = $1 and holder = $2', [
      contentId,
      contentHolder(queueId, direction),
    ])
    await deleteUnusedContent(client, [contentId])
  })
}

/** Leases the due recipients of up to `limit` mails for `leaseMs`; another replica skips them until then. */
export async function leaseDueMail(database: Database, limit: number, leaseMs: number): Promise<DueMail[]> {
  const { rows } = await database.query<LeasedRow>(
    `with mail as (
       select queue_id from deferred_delivery where next_attempt_at <= now() and (leased_until is null or leased_until < now())
       group by queue_id order by min(next_attempt_at) limit $1
     ), due as (
       select queue_id, recipient from deferred_delivery
       where queue_id in (select queue_id from mail) and next_attempt_at <= now() and (leased_until is null or leased_until < now())
       for update skip locked
     ), leased as (
       update deferred_delivery set leased_until = now() + $2 * interval '1 millisecond' from due
       where deferred_delivery.queue_id = due.queue_id and deferred_delivery.recipient = due.recipient
       returning deferred_delivery.*
     )
     select leased.queue_id, recipient, attempts, expires_at, delay_notified_at is not null as is_notified, job, content_id, size_bytes
     from leased join deferred_mail using (queue_id) join content on content.id = content_id`,
    [limit, leaseMs],
  )
  return groupByMail(rows)
}

interface LeasedRow {
  queue_id: string
  recipient: string
  attempts: number
  expires_at: Date
  is_notified: boolean
  job: JobHeader
  content_id: string
  size_bytes: string
}

function groupByMail(rows: LeasedRow[]): DueMail[] {
  const mails = new Map<string, DueMail>()
  for (const row of rows) {
    const content: Content = { kind: 'stored', id: row.content_id, sizeBytes: Number(row.size_bytes) }
    let mail = mails.get(row.queue_id)
    if (mail === undefined) {
      const envelope = { ...row.job.envelope, recipients: [] }
      mail = {
        job: { ...row.job, envelope, content },
        attempts: new Map(),
        expiresAt: row.expires_at,
        notified: new Set(),
      }
      mails.set(row.queue_id, mail)
    }
    mail.attempts.set(row.recipient, row.attempts)
    if (row.is_notified) mail.notified.add(row.recipient)
    mail.job.envelope.recipients.push(...row.job.envelope.recipients.filter(({ address }) => address === row.recipient))
  }
  return [...mails.values()]
}

/** Notes that the sender has been told of the delay. */
export async function markDelayNotified(database: Database, queueId: string, recipients: string[]): Promise<void> {
  await database.query(
    'update deferred_delivery set delay_notified_at = now() where queue_id = $1 and recipient = any($2::text[])',
    [queueId, recipients],
  )
}
