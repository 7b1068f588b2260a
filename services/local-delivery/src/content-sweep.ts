// Sweeps the content store: one of all replicas does, for as long as it runs.
import { randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { parseDuration } from '@sekimori/config/duration'
import { registry } from '@sekimori/runtime/metrics'
import type { Service } from '@sekimori/runtime/service'
import { inspectContents, sweepUnconfirmed } from '@sekimori/store/content-sweep'
import type { Database } from '@sekimori/store/database'
import { type Lead, whileLeading } from '@sekimori/store/leadership'
import { Counter, Gauge } from 'prom-client'
import type { Config } from './config.ts'

const LEAD_LIFE_MS = 30_000
const BATCH = 500
/** As many are named in the log; the metric has the number. */
const NAMED_MOST = 20

const freed = new Counter({
  name: 'sekimori_content_freed_total',
  help: 'Contents that the sweep freed: stored for mail that was never accepted, or referred to by nobody',
  labelNames: ['why'],
  registers: [registry],
})
const damaged = new Gauge({
  name: 'sekimori_content_damaged',
  help: 'Contents that somebody needs and that are not whole, as of the last sweep',
  registers: [registry],
})
const sweptAt = new Gauge({
  name: 'sekimori_content_swept_timestamp_seconds',
  help: 'When the last sweep of the content store came to its end',
  registers: [registry],
})

/** Starts to sweep every CONTENT_SWEEP_INTERVAL. Disposing it, after `stopping`, waits for the batch in hand. */
export function startContentSweep(config: Config, service: Service, database: Database): AsyncDisposable {
  const { stopping, log } = service
  const lead: Lead = { work: 'content-sweep', holder: `${hostname()} ${randomUUID()}`, lifeMs: LEAD_LIFE_MS }
  const [ageMs, intervalMs] = [parseDuration(config.CONTENT_ORPHAN_AGE)!, parseDuration(config.CONTENT_SWEEP_INTERVAL)!]
  const pause = (ms: number, signal: AbortSignal) => wait(ms, undefined, { signal }).catch(() => {}) // no need to wait on
  const sweeping = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await sweep(database, ageMs, log, signal)
      await pause(intervalMs, signal)
    }
    damaged.set(0) // from now on another process knows
  }
  const running = (async () => {
    while (!stopping.aborted) {
      await whileLeading(database, lead, stopping, sweeping).catch((error) =>
        log.warn({ err: error }, 'the sweep of the content store was interrupted'),
      )
      await pause(Math.min(intervalMs, LEAD_LIFE_MS), stopping)
    }
  })()
  return { [Symbol.asyncDispose]: () => running }
}

/** One round through the whole store. */
async function sweep(database: Database, ageMs: number, log: Service['log'], signal: AbortSignal): Promise<void> {
  for (let count = BATCH; count === BATCH && !signal.aborted; ) {
    count = await sweepUnconfirmed(database, ageMs, BATCH)
    freed.inc({ why: 'unconfirmed' }, count)
    if (count > 0) log.info({ count }, 'content of mail that was never accepted is freed')
  }
  const broken: string[] = []
  for (let after: string | undefined = ''; after !== undefined && !signal.aborted; ) {
    const found = await inspectContents(database, after, ageMs, BATCH)
    freed.inc({ why: 'unreferenced' }, found.freed.length)
    if (found.freed.length > 0) log.warn({ contentIds: found.freed }, 'content that nobody referred to is freed')
    broken.push(...found.damaged)
    after = found.last
  }
  if (signal.aborted) return
  if (broken.length > 0)
    log.error({ count: broken.length, contentIds: broken.slice(0, NAMED_MOST) }, 'content that is needed is not whole')
  damaged.set(broken.length)
  sweptAt.set(Date.now() / 1000)
}
