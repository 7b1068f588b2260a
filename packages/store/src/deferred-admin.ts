// Outbound mail that waits, as operators see and order it.
import type { Queryable } from './database.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'

/** One recipient whose mail waits. */
export interface WaitingRecipient {
  queueId: string
  recipient: string
  domain: string
  mailFrom: string
  acceptedAt: string
  attempts: number
  lastReply?: string
  nextAttemptAt: string
  /** When it is given up. */
  expiresAt: string
  isHeld: boolean
  /** Whether an attempt is under way. */
  isInHand: boolean
}

/** What waits for one domain. */
export interface WaitingDomain {
  domain: string
  recipients: number
  held: number
  oldestAcceptedAt: string
  nextAttemptAt: string
}

/** All that are given must hold. */
export interface WaitingFilter {
  queueId?: string | undefined
  recipient?: string | undefined
  domain?: string | undefined
  /** Only mail that accounts of these domains sent, or that their addresses handed on. */
  ofDomains?: string[] | undefined
}

/** `return` and `drop` give the mail up, with a DSN to the sender and without. */
export type WaitingOrder = 'retry' | 'hold' | 'release' | 'return' | 'drop'

interface Row {
  queue_id: string
  recipient: string
  domain: string
  mail_from: string
  accepted_at: string
  attempts: number
  last_reply: string | null
  next_attempt_at: Date
  expires_at: Date
  is_held: boolean
  is_in_hand: boolean
}

/** Waiting recipients, the oldest mail first; a page's key is queue id and recipient. */
export async function listWaiting(
  database: Queryable,
  filter: WaitingFilter,
  { after, limit }: PageRequest,
): Promise<Page<WaitingRecipient>> {
  const values: unknown[] = []
  const bind = (value: unknown) => `$${values.push(value)}`
  const conditions = conditionsOf(filter, bind)
  if (after !== undefined) conditions.push(`(queue_id, recipient) > (${after.map(bind).join(', ')})`)
  const { rows } = await database.query<Row>(
    `select queue_id, recipient, domain, job->'envelope'->>'mailFrom' as mail_from, job->>'acceptedAt' as accepted_at,
       attempts, last_reply, next_attempt_at, expires_at, held_at is not null as is_held,
       coalesce(leased_until > now(), false) as is_in_hand
     from deferred_delivery join deferred_mail using (queue_id)
     where ${['ordered is null', ...conditions].join(' and ')}
     order by queue_id, recipient limit ${bind(limit + 1)}`,
    values,
  )
  return cutPage(rows, limit, (row) => [row.queue_id, row.recipient], toWaiting)
}

/** The domains that mail waits for, by name. */
export async function listWaitingDomains(
  database: Queryable,
  { after, limit }: PageRequest,
  ofDomains?: string[],
): Promise<Page<WaitingDomain>> {
  const values: unknown[] = [after?.[0] ?? '', limit + 1]
  const conditions = conditionsOf({ ofDomains }, (value) => `$${values.push(value)}`)
  const { rows } = await database.query<{
    domain: string
    recipients: string
    held: string
    oldest: string
    next_attempt_at: Date
  }>(
    `select domain, count(*) as recipients, count(held_at) as held, min(job->>'acceptedAt') as oldest,
       min(next_attempt_at) as next_attempt_at
     from deferred_delivery join deferred_mail using (queue_id)
     where ${['domain > $1', 'ordered is null', ...conditions].join(' and ')} group by domain order by domain limit $2`,
    values,
  )
  return cutPage(
    rows,
    limit,
    ({ domain }) => [domain],
    ({ domain, recipients, held, oldest, next_attempt_at }) => ({
      domain,
      recipients: Number(recipients),
      held: Number(held),
      oldestAcceptedAt: new Date(Number(oldest)).toISOString(),
      nextAttemptAt: next_attempt_at.toISOString(),
    }),
  )
}

const CHANGES: Record<WaitingOrder, string> = {
  retry: 'next_attempt_at = now()',
  hold: 'held_at = coalesce(held_at, now())',
  release: 'held_at = null',
  return: "ordered = 'return', next_attempt_at = now()",
  drop: "ordered = 'drop', next_attempt_at = now()",
}

/**
 * Gives an order for the recipients that the filter names; resolves to their number. remote-delivery carries out the end
 * of mail that is given up; an attempt that is under way may still bring it to its recipient.
 */
export async function orderWaiting(database: Queryable, filter: WaitingFilter, order: WaitingOrder): Promise<number> {
  const values: unknown[] = []
  const conditions = conditionsOf(filter, (value) => `$${values.push(value)}`)
  const { queueId, recipient, domain } = filter
  if ((queueId ?? recipient ?? domain) === undefined) throw new TypeError('an order names what it is for')
  const { rowCount } = await database.query(
    `update deferred_delivery set ${CHANGES[order]} where ordered is null and ${conditions.join(' and ')}`,
    values,
  )
  return rowCount ?? 0
}

/** Whether mail of these domains waits for that one. */
export async function isWaitedFor(database: Queryable, domain: string, ofDomains: string[]): Promise<boolean> {
  const values: unknown[] = []
  const conditions = conditionsOf({ domain, ofDomains }, (value) => `$${values.push(value)}`)
  const { rowCount } = await database.query(
    `select 1 from deferred_delivery where ${conditions.join(' and ')} limit 1`,
    values,
  )
  return rowCount === 1
}

/** Whether the waiting mail, of `deferred_delivery`, is of one of the domains that $n, an array, names. */
export const isOfDomains = (parameter: string) =>
  `exists (select from deferred_mail as mail where mail.queue_id = deferred_delivery.queue_id and (
     split_part(coalesce(mail.job->'session'->>'account', mail.job->'forwarded'->>'account'), '@', -1) = any(${parameter}::text[])
     or split_part(mail.job->'forwarded'->>'by', '@', -1) = any(${parameter}::text[])))`

function conditionsOf(
  { queueId, recipient, domain, ofDomains }: WaitingFilter,
  bind: (value: unknown) => string,
): string[] {
  return [
    ...(queueId === undefined ? [] : [`queue_id = ${bind(queueId)}`]),
    ...(recipient === undefined ? [] : [`recipient = ${bind(recipient)}`]),
    ...(domain === undefined ? [] : [`domain = ${bind(domain)}`]),
    ...(ofDomains === undefined ? [] : [isOfDomains(bind(ofDomains))]),
  ]
}

function toWaiting(row: Row): WaitingRecipient {
  return {
    queueId: row.queue_id,
    recipient: row.recipient,
    domain: row.domain,
    mailFrom: row.mail_from,
    acceptedAt: new Date(Number(row.accepted_at)).toISOString(),
    attempts: row.attempts,
    ...(row.last_reply === null ? {} : { lastReply: row.last_reply }),
    nextAttemptAt: row.next_attempt_at.toISOString(),
    expiresAt: row.expires_at.toISOString(),
    isHeld: row.is_held,
    isInHand: row.is_in_hand,
  }
}
