// The search of the message trace as one statement: what has ended, what waits for its next delivery attempt, and what lies
// in a queue.
import { domainOf, normalizeAddress } from '@sekimori/mail/address'
import { newQueueId } from '@sekimori/mail/queue-id'
import type { PageRequest } from './page.ts'

const TIME_LETTERS = 10
/** No clock of ours is further ahead of another one. */
const AHEAD_MS = 86_400_000
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
  const { ways, within, each } = waysOf(filter, scope, bind)
  const parts = sourcesOf(filter).flatMap((source) =>
    ways.map((way) => {
      const found = `select ${source} where ${[way, ...within, ...conditions].join(' and ')} order by ${ORDER} limit ${most}`
      return each === undefined ? `(${found})` : `(select found.* from ${each}, lateral (${found}) as found)`
    }),
  )
  const text =
    parts.length === 1 && each === undefined
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

interface Ways {
  /** Conditions of which any may hold, each with an index of its own. */
  ways: string[]
  /** Conditions that must hold besides. */
  within: string[]
  /** Rows for each of which all ways are gone. */
  each?: string
}

function waysOf(filter: TraceFilter, scope: TraceScope, bind: Bind): Ways {
  const { queueId, messageId, address } = filter
  const ofAddress = address === undefined ? [] : [addressWays(bind(normalizeAddress(address)), address, scope, bind)]
  // The way that finds the fewest comes first.
  const given = [
    ...(queueId === undefined ? [] : [[`queue_id = ${bind(queueId)}`]]),
    ...(messageId === undefined ? [] : [[`message_id = any(${bind([messageId, `<${messageId}>`])}::text[])`]]),
    ...(scope.kind === 'account' ? [accountWays(bind(scope.address)), ...ofAddress] : ofAddress),
  ]
  if (scope.kind === 'domains' && given.length === 0) return eachDomain(bind(scope.domains))
  if (scope.kind === 'domains' && (queueId ?? messageId) !== undefined) given.push(domainWays(bind(scope.domains)))
  const [ways = ['true'], ...within] = given
  return { ways, within: within.map((others) => `(${others.join(' or ')})`) }
}

const RECIPIENT_DOMAIN = "split_part(lower(recipient), '@', -1)"
const ACCOUNT_DOMAIN = "split_part(account, '@', -1)"

/** The domains of a token may be many, which a statement must not grow with, or gone: then it shows nothing. */
function eachDomain(domains: string): Ways {
  const ways = [`${RECIPIENT_DOMAIN} = own.domain`, `(${ACCOUNT_DOMAIN} = own.domain and account is not null)`]
  return { ways, within: [], each: `unnest(${domains}::text[]) as own (domain)` }
}

function domainWays(domains: string): string[] {
  return [`${RECIPIENT_DOMAIN} = any(${domains}::text[])`, `${ACCOUNT_DOMAIN} = any(${domains}::text[])`]
}

function accountWays(address: string): string[] {
  return [`lower(recipient) = lower(${address})`, `(account = ${address} and (via is null or via = ${address}))`]
}

/** Of an address of an operator's own everything is shown that it received or sent, of others what an own one sent or received. */
function addressWays(bound: string, address: string, scope: TraceScope, bind: Bind): string[] {
  const received = `lower(recipient) = lower(${bound})`
  const named = `lower(mail_from) = lower(${bound}) and mail_from <> ''`
  const sent = `account = ${bound}`
  if (scope.kind !== 'domains') return [received, `(${named})`, sent]
  const domains = bind(scope.domains)
  if (scope.domains.includes(domainOf(address))) {
    // Nearly all of it is: no index of domains helps, though Postgres would think so. (No index has these expressions.)
    const isOwn = [RECIPIENT_DOMAIN, ACCOUNT_DOMAIN].map(
      (domain) => `coalesce(${domain}, '') = any(${domains}::text[])`,
    )
    return [received, sent, `(${named} and (${isOwn.join(' or ')}))`]
  }
  const [toOwn, fromOwn] = domainWays(domains) as [string, string]
  return [
    `(${received} and ${fromOwn})`,
    `(${sent} and ${toOwn})`,
    `(${named} and ${toOwn})`,
    `(${named} and ${fromOwn})`,
  ]
}

function conditionsOf(filter: TraceFilter, bind: Bind): string[] {
  const { outcome, since, until } = filter
  // Partitions of weeks to come are not worth a thought.
  const conditions = [`queue_id < ${bind(firstQueueIdOf(new Date(Date.now() + AHEAD_MS)))}`]
  if (outcome !== undefined) conditions.push(`outcome = ${bind(outcome)}`)
  if (since !== undefined) conditions.push(`queue_id >= ${bind(firstQueueIdOf(since))}`)
  if (until !== undefined) conditions.push(`queue_id < ${bind(firstQueueIdOf(until))}`)
  return conditions
}

/** The time that queue ids begin with: ids given from then on sort after it. */
function firstQueueIdOf(time: Date): string {
  return newQueueId(Math.max(time.getTime(), 0)).slice(0, TIME_LETTERS)
}
