// The search of the message trace as one statement: what has ended, what waits for its next delivery attempt, and what lies
// in a queue.
import { normalizeAddress } from '@sekimori/mail/address'
import { newQueueId } from '@sekimori/mail/queue-id'
import type { PageRequest } from './page.ts'

const TIME_LETTERS = 10
/** The outcome of mail that waits. */
const DEFERRED = 'deferred'
/** The outcomes of mail that lies in a queue, or in a dead one. */
const UNDER_WAY = ['under-way', 'stuck']

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
  const parts = sourcesOf(filter).flatMap((source) =>
    ways.map(
      (way) =>
        `(select ${source} where ${[way, ...within, ...conditions].join(' and ')} order by ${ORDER} limit ${most})`,
    ),
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

/** Where the outcome may be found. */
function sourcesOf({ outcome }: TraceFilter): string[] {
  const ended = `${COLUMNS}, null::jsonb as waiting from message_trace`
  const waiting = `${COLUMNS}, waiting from waiting_trace`
  const underWay = `${COLUMNS}, null::jsonb as waiting from under_way_trace`
  if (outcome === undefined) return [ended, waiting, underWay]
  if (UNDER_WAY.includes(outcome)) return [underWay]
  return [outcome === DEFERRED ? waiting : ended]
}

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
