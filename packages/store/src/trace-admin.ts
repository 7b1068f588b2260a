// The message trace as operators ask it: "where is my mail?"
import type { RemoteReply } from '@sekimori/mail/remote-reply'
import type { Queryable } from './database.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'
import type { TracedStage } from './trace.ts'
import { type TraceFilter, type TraceScope, traceQuery } from './trace-query.ts'

/** Where one recipient's mail ended, or at which stage it waits. */
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
  history: TracedStage[]
  /** The alias, list or forwarding account through which this recipient was reached. */
  via?: string
  /** Absent while it waits or lies in a queue. */
  endedAt?: string
  waiting?: Waiting
}

/** Of mail that waits for its next delivery attempt. */
export interface Waiting {
  attempts: number
  nextAttemptAt: string
  /** When it is given up. */
  expiresAt: string
  /** By an operator. */
  isHeld: boolean
  /** Whether an attempt is under way. */
  isInHand: boolean
}

/** Ends and what waits, newest mail first; a page's key is queue id, recipient and stage. */
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
  history: TracedStage[]
  via: string | null
  ended_at: Date | null
  waiting: WaitingColumn | null
}

/** Times in milliseconds since 1970. */
interface WaitingColumn {
  attempts: number
  nextAttemptAt: number
  expiresAt: number
  attemptedAt: number | null
  isHeld: boolean
  isInHand: boolean
  remote: RemoteReply | null
}

function toEnd(row: TraceRow): TracedEnd {
  const { recipient, stage, outcome, direction, waiting } = row
  const history = waiting === null ? row.history : [...row.history, ...lastAttempt(stage, outcome, waiting)]
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
    ...(row.ended_at === null ? {} : { endedAt: row.ended_at.toISOString() }),
    ...(waiting === null ? {} : { waiting: toWaiting(waiting) }),
  }
}

function lastAttempt(stage: string, outcome: string, { attemptedAt, remote }: WaitingColumn): TracedStage[] {
  if (attemptedAt === null) return []
  return [{ stage, at: Math.round(attemptedAt), outcome, ...(remote === null ? {} : { remote }) }]
}

function toWaiting({ attempts, nextAttemptAt, expiresAt, isHeld, isInHand }: WaitingColumn): Waiting {
  const time = (at: number) => new Date(at).toISOString()
  return { attempts, nextAttemptAt: time(nextAttemptAt), expiresAt: time(expiresAt), isHeld, isInHand }
}
