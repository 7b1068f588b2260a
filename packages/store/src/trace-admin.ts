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
  /** The alias, list or forwarding account through which this recipient was reached. */
  via?: string
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

/** Whose mail may be seen: all of it, that of some domains, or an account's own. */
export type TraceScope =
  | { kind: 'all' }
  | { kind: 'domains'; domains: string[] }
  /** What it received, and what it sent, to whom it sent it: not to whom aliases, lists and others handed that on. */
  | { kind: 'account'; address: string }

/** Ends, newest mail first; a page's key is queue id, recipient and stage. */
export async function searchTrace(
  database: Queryable,
  filter: TraceFilter,
  { after, limit }: PageRequest,
  scope: TraceScope = { kind: 'all' },
): Promise<Page<TracedEnd>> {
  const { text, values } = traceQuery(filter, { after, limit }, scope)
  const { rows } = await database.query<TraceRow>(text, values)
  return cutPage(rows, limit, (row) => [row.queue_id, row.recipient, row.stage], toEnd)
}

/**
 * The search as one statement: each way in that an index serves by itself, newest first, as many rows as the page has;
 * then the newest of all.
 */
export function traceQuery(
  filter: TraceFilter,
  { after, limit }: PageRequest,
  scope: TraceScope,
): { text: string; values: unknown[] } {
  const values: unknown[] = []
  const bind = (value: unknown) => `$${values.push(value)}`
  const conditions = conditionsOf(filter, bind)
  // The first condition is the one that the index understands.
  if (after !== undefined) {
    const [queueId, recipient, stage] = after.map(bind)
    conditions.push(`queue_id <= ${queueId}`, `(queue_id, recipient, stage) < (${queueId}, ${recipient}, ${stage})`)
  }
  const most = bind(limit + 1)
  const { ways, within } = waysOf(filter, scope, bind)
  const parts = ways.map(
    (way) =>
      `(select ${COLUMNS} from message_trace where ${[way, ...within, ...conditions].join(' and ')}
        order by ${ORDER} limit ${most})`,
  )
  const text =
    parts.length === 1
      ? parts[0]!.slice(1, -1)
      : `select distinct on (queue_id, recipient, stage) * from (${parts.join(' union all ')}) as found
         order by ${ORDER} limit ${most}`
  return { text, values }
}

const COLUMNS =
  'queue_id, recipient, stage, outcome, detail, mail_from, account, message_id, direction, history, via, ended_at'
const ORDER = 'queue_id desc, recipient desc, stage desc'

type Bind = (value: unknown) => string

/** Conditions of which any may hold, each with an index of its own, and conditions that must hold besides. */
function waysOf(filter: TraceFilter, scope: TraceScope, bind: Bind): { ways: string[]; within: string[] } {
  const { queueId, messageId, address } = filter
  const ofScope = scopeWays(scope, bind)
  const ofAddress = address === undefined ? [] : addressWays(bind(normalizeAddress(address)))
  // The way that finds the fewest comes first.
  const given = [
    queueId === undefined ? [] : [`queue_id = ${bind(queueId)}`],
    messageId === undefined ? [] : [`message_id = any(${bind([messageId, `<${messageId}>`])}::text[])`],
    ...(scope.kind === 'account' ? [ofScope, ofAddress] : [ofAddress, ofScope]),
  ].filter((ways) => ways.length > 0)
  const [ways = ['true'], ...within] = given
  return { ways, within: within.map((others) => `(${others.join(' or ')})`) }
}

function addressWays(address: string): string[] {
  return [
    `lower(recipient) = lower(${address})`,
    `(lower(mail_from) = lower(${address}) and mail_from <> '')`,
    `account = ${address}`,
  ]
}

function scopeWays(scope: TraceScope, bind: Bind): string[] {
  switch (scope.kind) {
    case 'all':
      return []
    case 'account': {
      const address = bind(scope.address)
      return [`lower(recipient) = lower(${address})`, `(account = ${address} and (via is null or via = ${address}))`]
    }
    case 'domains':
      // The domains of a token may be gone: then it shows nothing.
      if (scope.domains.length === 0) return ['false']
      return scope.domains.flatMap((name) => {
        const domain = bind(name)
        return [
          `split_part(lower(recipient), '@', -1) = ${domain}`,
          `(split_part(account, '@', -1) = ${domain} and account is not null)`,
        ]
      })
  }
}

function conditionsOf(filter: TraceFilter, bind: Bind): string[] {
  const { outcome, since, until } = filter
  const conditions: string[] = []
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
  via: string | null
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
    ...(row.via === null ? {} : { via: row.via }),
    endedAt: row.ended_at.toISOString(),
  }
}
