// The scanner's two queues: all mail comes by the one, and what would make others wait goes on to the other.
import type { Content } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import type { Broker } from '@sekimori/queue/broker'
import { consume } from '@sekimori/queue/consume'
import { scan, scanSlow } from '@sekimori/queue/queues'
import type { Queryable } from '@sekimori/store/database'
import { unlessEnded } from '@sekimori/store/ended-mail'
import type { Config } from './config.ts'
import { handleScan, type Ports } from './handler.ts'
import type { Thorough } from './thorough.ts'

/** Slow mails that are held: they go through the threads one by one. */
const SLOW_AT_A_TIME = 4

export interface ScanPorts extends Omit<Ports, 'scan'> {
  thorough: Thorough
  /** The octets of the content. */
  open(content: Content): AsyncIterable<Buffer>
}

type Settings = Pick<Config, 'PREFETCH' | 'ATTEMPT_LIMIT' | 'DRAIN_TIMEOUT_MS'>

/** Starts to consume both. Disposing waits for the mails in hand. */
export async function consumeScans(
  broker: Broker,
  database: Queryable,
  ports: ScanPorts,
  config: Settings,
): Promise<AsyncDisposable> {
  const handlerBy = (how: keyof Thorough) => {
    const scanning: Ports = { ...ports, scan: (content) => ports.thorough[how](() => ports.open(content)) }
    return unlessEnded(database, (job: Job) => handleScan(job, scanning))
  }
  const limits = { attemptLimit: config.ATTEMPT_LIMIT, drainTimeoutMs: config.DRAIN_TIMEOUT_MS }
  await using started = new AsyncDisposableStack()
  const usual = { ...limits, prefetch: config.PREFETCH }
  const slow = { ...limits, prefetch: SLOW_AT_A_TIME }
  const consumers = [
    started.use(await consume(broker, scan, handlerBy('scanUnlessSlow'), usual)),
    started.use(await consume(broker, scanSlow, handlerBy('scan'), slow)),
  ]
  started.move()
  return {
    async [Symbol.asyncDispose]() {
      await Promise.all(consumers.map((consumer) => consumer[Symbol.asyncDispose]()))
    },
  }
}
