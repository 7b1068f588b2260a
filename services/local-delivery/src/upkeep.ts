// Keeps the trace's partitions and forgets senders of forwarded mail that have expired: once an hour, by one of all replicas.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { parseDuration } from '@sekimori/config/duration'
import type { Service } from '@sekimori/runtime/service'
import type { Database } from '@sekimori/store/database'
import { whileLeading } from '@sekimori/store/leadership'
import { forgetSenders } from '@sekimori/store/sender-rewriting'
import { keepTracePartitions } from '@sekimori/store/trace-partitions'
import { sweepUnderWay } from '@sekimori/store/under-way'
import type { Config } from './config.ts'

const INTERVAL_MS = 3_600_000
const LEAD_LIFE_MS = 30_000

/** Starts the upkeep. Disposing it, after `stopping`, waits for what is in hand. */
export function startUpkeep(config: Config, { stopping, log }: Service, database: Database): AsyncDisposable {
  const lead = { work: 'trace-upkeep', holder: `${hostname()} ${randomUUID()}`, lifeMs: LEAD_LIFE_MS }
  const retentionMs = parseDuration(config.TRACE_RETENTION)!
  const bouncesMs = parseDuration(config.SRS_MAX_AGE)!
  const keep = async () => {
    await forgetSenders(database, bouncesMs)
    const done = await keepTracePartitions(database, retentionMs)
    if (done.made + done.dropped > 0) log.info(done, 'partitions of the trace')
    await sweepUnderWay(database, retentionMs)
  }
  const running = (async () => {
    while (!stopping.aborted) {
      await whileLeading(database, lead, stopping, keep).catch((error) =>
        log.warn({ err: error }, 'upkeep of the database failed; this is tried again'),
      )
      await wait(INTERVAL_MS, undefined, { signal: stopping }).catch(() => {}) // stopping is looked at next
    }
  })()
  return { [Symbol.asyncDispose]: () => running }
}
