// Orders of operators about mail in quarantine: release it, or delete it. An order is a state of the record; whoever
// holds the master key and the broker carries it out.
import type { Database, Queryable } from './database.ts'
import { type QuarantineKind, type RecordId, recordValues } from './quarantine-content.ts'

export type QuarantineState = 'kept' | 'releasing' | 'released' | 'deleting' | 'deleted' | 'expiring' | 'expired'

/** Which records of a mail an order is about: all of them, or those of a direction or kind. */
export interface RecordFilter {
  direction?: string | undefined
  kind?: QuarantineKind | undefined
}

export type Ordering =
  | { kind: 'ordered' }
  | { kind: 'unknown' }
  /** The mail is infected, or was returned to its sender. */
  | { kind: 'never' }
  /** An earlier order, or the end of its time, has decided about it. */
  | { kind: 'settled'; state: QuarantineState }

interface RecordRow {
  direction: string
  kind: QuarantineKind
  state: QuarantineState
  is_whole: boolean
}

/**
 * Orders that held or refused mail be delivered. A mail of which anything was found infected is never released. Asked
 * again it is the same order.
 */
export async function orderRelease(database: Database, queueId: string, filter: RecordFilter): Promise<Ordering> {
  return database.transaction(async (client) => {
    const all = await lockRecords(client, queueId)
    const chosen = all.filter((row) => isChosen(row, filter))
    if (chosen.length === 0) return { kind: 'unknown' }
    const releasable = chosen.filter((row) => row.is_whole)
    if (all.some((row) => row.kind === 'infected') || releasable.length === 0) return { kind: 'never' }
    return order(client, queueId, releasable, 'releasing', ['releasing', 'released'])
  })
}

/** Orders that mail in quarantine be deleted, of whatever kind. Asked again it is the same order. */
export async function orderDeletion(database: Database, queueId: string, filter: RecordFilter): Promise<Ordering> {
  return database.transaction(async (client) => {
    const chosen = (await lockRecords(client, queueId)).filter((row) => isChosen(row, filter))
    if (chosen.length === 0) return { kind: 'unknown' }
    return order(client, queueId, chosen, 'deleting', ['deleting', 'deleted'])
  })
}

async function lockRecords(client: Queryable, queueId: string): Promise<RecordRow[]> {
  const { rows } = await client.query<RecordRow>(
    'select direction, kind, state, is_whole from quarantine where queue_id = $1 order by direction, kind for update',
    [queueId],
  )
  return rows
}

function isChosen(row: RecordRow, { direction, kind }: RecordFilter): boolean {
  return (direction ?? row.direction) === row.direction && (kind ?? row.kind) === row.kind
}

/** Puts the records that are still kept into the state; they are settled when there is none and they are not `same`. */
async function order(
  client: Queryable,
  queueId: string,
  rows: RecordRow[],
  state: QuarantineState,
  same: QuarantineState[],
): Promise<Ordering> {
  const kept = rows.filter((row) => row.state === 'kept')
  const other = rows.find((row) => row.state !== 'kept' && !same.includes(row.state))
  if (kept.length === 0 && other !== undefined) return { kind: 'settled', state: other.state }
  for (const { direction, kind } of kept) await setState(client, { queueId, direction, kind }, state)
  return { kind: 'ordered' }
}

async function setState(client: Queryable, id: RecordId, state: QuarantineState): Promise<void> {
  await client.query(
    'update quarantine set state = $4, settled_at = now() where queue_id = $1 and direction = $2 and kind = $3',
    [...recordValues(id), state],
  )
}
