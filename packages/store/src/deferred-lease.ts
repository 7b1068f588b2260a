// Leases on outbound mail that is due: one replica attempts it, the others skip it until the lease has run out.
import type { Content } from '@sekimori/mail/content'
import type { Job, JobHeader } from '@sekimori/mail/job'
import type { Queryable } from './database.ts'

/** Recipients of one mail that are due together. `job.envelope.recipients` holds only them. */
export interface DueMail {
  job: Job
  attempts: Map<string, number>
  expiresAt: Date
  /** Recipients whose sender has been told of the delay. */
  notified: Set<string>
  /** Recipients that an operator has given up: with a notice to the sender, or without. */
  orders: Map<string, 'return' | 'drop'>
}

/** Not held, and not of a domain that rests or is paused; what an operator has given up is due all the same. */
const DUE = `next_attempt_at <= now() and (leased_until is null or leased_until < now())
  and (ordered is not null or (held_at is null and deferred_delivery.domain <> all($3::text[]) and not exists (
    select from destination where destination.domain = deferred_delivery.domain and paused_at is not null)))`

/** Of so many due recipients for each mail wanted the choice is made: enough to find several domains among them. */
const CHOICE = 8

/**
 * Leases the due recipients of up to `limit` mails for `leaseMs`: the longest due first, but the domains in turn.
 * Those of `restingDomains` are left.
 */
export async function leaseDueMail(
  database: Queryable,
  limit: number,
  leaseMs: number,
  restingDomains: string[] = [],
): Promise<DueMail[]> {
  const { rows } = await database.query<LeasedRow>({
    name: 'lease_due_mail',
    text: `with due as (
             select queue_id, next_attempt_at, row_number() over (partition by domain order by next_attempt_at) as turn
             from (select * from deferred_delivery where ${DUE} order by next_attempt_at limit $1 * ${CHOICE}) as first_due
           ), mail as (
             select queue_id from deferred_mail
             join (select queue_id, min(turn) as turn, min(next_attempt_at) as due_at from due group by queue_id) as chosen
               using (queue_id)
             order by turn, due_at limit $1
             for no key update of deferred_mail skip locked
           ), leased as (
             update deferred_delivery set leased_until = now() + $2 * interval '1 millisecond' from mail
             where deferred_delivery.queue_id = mail.queue_id and ${DUE}
             returning deferred_delivery.*
           )
           select leased.queue_id, recipient, attempts, expires_at, delay_notified_at is not null as is_notified, ordered,
             job, content_id, size_bytes
           from leased join deferred_mail using (queue_id) join content on content.id = content_id`,
    values: [limit, leaseMs, restingDomains],
  })
  return groupByMail(rows)
}

/** Prolongs the leases on what of these mails is still to be attempted. */
export async function renewLeases(database: Queryable, mails: DueMail[], leaseMs: number): Promise<void> {
  const held = mails.flatMap(({ job }) => job.envelope.recipients.map(({ address }) => [job.queueId, address] as const))
  await database.query({
    name: 'renew_leases',
    text: `update deferred_delivery set leased_until = now() + $3 * interval '1 millisecond'
           from unnest($1::text[], $2::text[]) as held (queue_id, recipient)
           where deferred_delivery.queue_id = held.queue_id and deferred_delivery.recipient = held.recipient
             and leased_until is not null`,
    values: [held.map(([queueId]) => queueId), held.map(([, recipient]) => recipient), leaseMs],
  })
}

/** Notes that the sender has been told of the delay. */
export async function markDelayNotified(database: Queryable, queueId: string, recipients: string[]): Promise<void> {
  await database.query(
    'update deferred_delivery set delay_notified_at = now() where queue_id = $1 and recipient = any($2::text[])',
    [queueId, recipients],
  )
}

interface LeasedRow {
  queue_id: string
  recipient: string
  attempts: number
  expires_at: Date
  is_notified: boolean
  ordered: 'return' | 'drop' | null
  job: JobHeader
  content_id: string
  size_bytes: string
}

function groupByMail(rows: LeasedRow[]): DueMail[] {
  const mails = new Map<string, DueMail>()
  for (const row of rows) {
    const mail = mails.get(row.queue_id) ?? emptyMail(row)
    mails.set(row.queue_id, mail)
    mail.attempts.set(row.recipient, row.attempts)
    if (row.is_notified) mail.notified.add(row.recipient)
    if (row.ordered !== null) mail.orders.set(row.recipient, row.ordered)
    mail.job.envelope.recipients.push(...row.job.envelope.recipients.filter(({ address }) => address === row.recipient))
  }
  return [...mails.values()]
}

function emptyMail({ job, content_id, size_bytes, expires_at }: LeasedRow): DueMail {
  const content: Content = { kind: 'stored', id: content_id, sizeBytes: Number(size_bytes) }
  const envelope = { ...job.envelope, recipients: [] }
  return {
    job: { ...job, envelope, content },
    attempts: new Map(),
    expiresAt: expires_at,
    notified: new Set(),
    orders: new Map(),
  }
}
