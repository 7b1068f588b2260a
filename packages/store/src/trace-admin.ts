// The message trace as operators ask it: "where is my mail?"
import { normalizeAddress } from '@sekimori/mail/address'
import type { HistoryEntry } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import type { Queryable } from './database.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'

const TIME_LETTERS = 10

/** Where one recipient's mail ended. */
export interface TracedEnd {
  queueId: string
  recipient: string
  stage: string
  outcome: string
  detail?: string
  mailFrom: string
  account?: string
  messageId?: string
  direction: string
  history: HistoryEntry[]
  endedAt: string
}

/** All that are given must hold. `address` is the recipient, the reverse-path or the account; times are of acceptance. */
export interface TraceFilter {
  queueId?: string | undefined
  messageId?: string | undefined
  address?: string | undefined
  outcome?: string | undefined
  /** Inclusive. */
  since?: Date | undefined
  /** Exclusive. */
  until?: Date | undefined
}

/** Ends, newest mail first; a page's key is queue id, recipient and stage. */
export async function searchTrace(
  database: Queryable,
  filter: TraceFilter,
  { after, limit }: PageRequest,
): Promise<Page<TracedEnd>> {
  const values: unknown[] = []
  const bind = (value: unknown) => `$${values.push(value)}`
  const conditions = conditionsOf(filter, bind)
  if (after !== undefined) conditions.push(`(queue_id, recipient, stage) < (${after.map(bind).join(', ')})`)
  const { rows } = await database.query<TraceRow>(
    `select queue_id, recipient, stage, outcome, detail, mail_from, account, message_id, direction, history, ended_at
     from message_trace where ${['true', ...conditions].join(' and ')}
     order by queue_id desc, recipient desc, stage desc limit ${bind(limit + 1)}`,
    values,
  )
  return cutPage(rows, limit, (row) => [row.queue_id, row.recipient, row.stage], toEnd)
}

function conditionsOf(filter: TraceFilter, bind: (value: unknown) => string): string[] {
  const { queueId, messageId, address, outcome, since, until } = filter
  const conditions: string[] = []
  if (queueId !== undefined) conditions.push(`queue_id = ${bind(queueId)}`)
  if (messageId !== undefined) conditions.push(`message_id = any(${bind([messageId, `<${messageId}>`])}::text[])`)
  if (address !== undefined) {
    const forms = bind([...new Set([address, normalizeAddress(address)])])
    conditions.push(`(recipient = any(${forms}) or mail_from = any(${forms}) or account = any(${forms}))`)
  }
  if (outcome !== undefined) conditions.push(`outcome = ${bind(outcome)}`)
  if (since !== undefined) conditions.push(`queue_id >= ${bind(firstQueueIdOf(since))}`)
  if (until !== undefined) conditions.push(`queue_id < ${bind(firstQueueIdOf(until))}`)
  return conditions
}

/** The time that queue ids begin with: ids given from then on sort after it. */
function firstQueueIdOf(time: Date): string {
  return newQueueId(Math.max(time.getTime(), 0)).slice(0, TIME_LETTERS)
}

interface TraceRow {
  queue_id: string
  recipient: string
  stage: string
  outcome: string
  detail: string | null
  mail_from: string
  account: string | null
  message_id: string | null
  direction: string
  history: HistoryEntry[]
  ended_at: Date
}

function toEnd(row: TraceRow): TracedEnd {
  const { recipient, stage, outcome, direction, history } = row
  return {
    queueId: row.queue_id,
    recipient,
    stage,
    outcome,
    ...(row.detail === null ? {} : { detail: row.detail }),
    mailFrom: row.mail_from,
    ...(row.account === null ? {} : { account: row.account }),
    ...(row.message_id === null ? {} : { messageId: row.message_id }),
    direction,
    history,
    endedAt: row.ended_at.toISOString(),
  }
}
