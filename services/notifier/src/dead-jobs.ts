// Keeps given-up jobs where operators can look at them, and publishes again what they order.
import { setTimeout as wait } from 'node:timers/promises'
import type { Broker } from '@sekimori/queue/broker'
import { consumeDead } from '@sekimori/queue/dead-queues'
import { everyQueue } from '@sekimori/queue/queues'
import { registry } from '@sekimori/runtime/metrics'
import type { Database } from '@sekimori/store/database'
import { countDeadJobs, keepDeadJob, replayNext } from '@sekimori/store/dead-job'
import { Gauge } from 'prom-client'

const POLL_MS = 1_000

const waiting = new Gauge({
  name: 'sekimori_dead_jobs',
  help: 'Given-up jobs that wait for an operator to replay or drop them, by queue',
  labelNames: ['queue'],
  registers: [registry],
})

/** Starts both. Disposing it, after `stopping`, waits for the job in hand. */
export async function openDeadJobs(broker: Broker, database: Database): Promise<AsyncDisposable> {
  const collecting = await consumeDead(broker, (message) => keepDeadJob(database, message))
  const replaying = replayOrdered(broker, database)
  return {
    async [Symbol.asyncDispose]() {
      await replaying
      await collecting[Symbol.asyncDispose]()
    },
  }
}

async function replayOrdered(broker: Broker, database: Database): Promise<void> {
  const { stopping, dependencies, log } = broker.service
  while (!stopping.aborted) {
    await dependencies.whenUp(stopping)
    try {
      while (!stopping.aborted && (await replayNext(database, broker.publisher.publishRaw.bind(broker.publisher)))) {}
      const counts = await countDeadJobs(database)
      for (const { name } of everyQueue) waiting.set({ queue: name }, counts.get(name) ?? 0)
    } catch (error) {
      log.warn({ err: error }, 'dead jobs could not be replayed')
    }
    await wait(POLL_MS, undefined, { signal: stopping }).catch(() => {}) // stopping ends the pause
  }
}
