// Accepted mail that has not reached its end yet, for the trace. Most mail has within a second or two: only what takes longer
// is written, many recipients in one statement.
import { normalizeAddress } from '@sekimori/mail/address'
import type { HistoryEntry, JobHeader } from '@sekimori/mail/job'
import type { Queryable } from './database.ts'
import { storableText, toJsonb } from './jsonb.ts'
import { INDEXED_LENGTH } from './trace.ts'

/** One recipient of an accepted mail, as its edge knows it. */
export interface UnderWay {
  queueId: string
  recipient: string
  mailFrom: string
  account?: string
  messageId?: string
  direction: string
  history: HistoryEntry[]
}

/** The recipients of a job. */
export function underWay(job: JobHeader): UnderWay[] {
  const { queueId, envelope, session, messageId, direction, history } = job
  return envelope.recipients.map(({ address }) => ({
    queueId,
    recipient: storableText(address),
    mailFrom: envelope.mailFrom,
    ...(session.account === undefined ? {} : { account: session.account }),
    ...(messageId === undefined ? {} : { messageId }),
    direction,
    history,
  }))
}

/** Writes those that have no end yet, and do not wait in the schedule. Their row goes in the transaction of their end. */
export async function noteUnderWay(database: Queryable, mails: UnderWay[]): Promise<void> {
  const open = await withoutEnd(database, mails)
  if (open.length === 0) return
  await database.query({
    name: 'note_under_way',
    text: `insert into mail_under_way (queue_id, recipient, normal, mail_from, account, message_id, direction, history)
           select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::jsonb[])
           on conflict do nothing`,
    values: [
      open.map(({ queueId }) => queueId),
      open.map(({ recipient }) => recipient),
      open.map(({ recipient }) => normalizeAddress(recipient)),
      open.map(({ mailFrom }) => storableText(mailFrom, INDEXED_LENGTH)),
      open.map(({ account }) => account ?? null),
      open.map(({ messageId }) => (messageId === undefined ? null : storableText(messageId, INDEXED_LENGTH))),
      open.map(({ direction }) => direction),
      open.map(({ history }) => toJsonb(history)),
    ],
  })
}

async function withoutEnd(database: Queryable, mails: UnderWay[]): Promise<UnderWay[]> {
  const { rows } = await database.query<{ queue_id: string; recipient: string }>({
    name: 'ended_of_many',
    text: `select queue_id, recipient from message_trace where queue_id = any($1) and stage not in ('warning', 'notice')
           union all select queue_id, recipient from deferred_delivery where queue_id = any($1)`,
    values: [[...new Set(mails.map(({ queueId }) => queueId))]],
  })
  const ended = new Set(rows.map(({ queue_id, recipient }) => `${queue_id} ${recipient}`))
  return mails.filter(
    ({ queueId, recipient }) =>
      !ended.has(`${queueId} ${recipient}`) && !ended.has(`${queueId} ${normalizeAddress(recipient)}`),
  )
}

const SWEPT_AT_ONCE = 1_000

/**
 * Removes rows whose mail has ended all the same, because both were written in the same moment, and rows older than the
 * trace goes back. Resolves to how many there were.
 */
export async function sweepUnderWay(database: Queryable, retentionMs: number, now = Date.now()): Promise<number> {
  const old = await database.query('delete from mail_under_way where queue_id < trace_bound($1)', [
    new Date(now - retentionMs),
  ])
  let swept = old.rowCount ?? 0
  for (let after: string | null = ''; after !== null; ) {
    const { rows }: { rows: { last: string | null; swept: number }[] } = await database.query(
      `with looked_at as (
         select queue_id, recipient from mail_under_way where queue_id > $1 order by queue_id fetch first ${SWEPT_AT_ONCE} rows with ties
       ), gone as (
         delete from mail_under_way using looked_at
         where mail_under_way.queue_id = looked_at.queue_id and mail_under_way.recipient = looked_at.recipient
           and not exists (select from under_way_trace as open
                           where open.queue_id = looked_at.queue_id and open.recipient = looked_at.recipient offset 0)
         returning 1
       )
       select (select max(queue_id) from looked_at) as last, (select count(*)::integer from gone) as swept`,
      [after],
    )
    after = rows[0]!.last
    swept += rows[0]!.swept
  }
  return swept
}
