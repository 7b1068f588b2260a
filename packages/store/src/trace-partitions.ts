// Upkeep of the trace's partitions: made ahead of time, dropped when their retention is over.
import type { Database } from './database.ts'

/** How many weeks there are partitions for ahead of now. */
const WEEKS_AHEAD = 8
const WEEK_MS = 7 * 86_400_000
/** Making and dropping one locks the trace for a moment; rather than hold mail up for longer, it is tried again later. */
const LOCK_TIMEOUT_MS = 3_000

export interface Upkeep {
  made: number
  dropped: number
}

/** Makes what is missing and drops what ended `retentionMs` ago. */
export async function keepTracePartitions(database: Database, retentionMs: number, now = Date.now()): Promise<Upkeep> {
  let made = 0
  for (let week = 0; week <= WEEKS_AHEAD; week++) {
    const { rows } = await inTime<{ is_made: boolean }>(database, 'select ensure_trace_partition($1) as is_made', [
      new Date(now + week * WEEK_MS),
    ])
    if (rows[0]!.is_made) made++
  }
  const before = new Date(now - retentionMs)
  const { rows } = await inTime<{ dropped: number }>(database, 'select drop_trace_before($1) as dropped', [before])
  return { made, dropped: rows[0]!.dropped }
}

function inTime<R extends object>(database: Database, text: string, values: unknown[]): Promise<{ rows: R[] }> {
  return database.transaction(async (client) => {
    await client.query(`set local lock_timeout = ${LOCK_TIMEOUT_MS}`)
    return client.query<R>(text, values)
  })
}
