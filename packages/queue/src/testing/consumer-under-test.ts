// A consumer of `scan` behind a proxy, and the queues that it works on, for the tests of this package.
import type { Job } from '@sekimori/mail/job'
import type { Service } from '@sekimori/runtime/service'
import { type CuttableProxy, openCuttableProxy } from '@sekimori/testing/cuttable-proxy'
import type { TestBroker } from '@sekimori/testing/test-broker'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { type Broker, openBroker } from '../broker.ts'
import { encodeMessage } from '../codec.ts'
import { type ConsumeOptions, consume, type Handler } from '../consume.ts'
import { scan } from '../queues.ts'
import { jobFor } from './job.ts'

const OPTIONS: ConsumeOptions = { prefetch: 50, attemptLimit: 3, drainTimeoutMs: 10_000 }

export class ConsumerUnderTest implements AsyncDisposable {
  readonly proxy: CuttableProxy
  readonly service: Service
  #broker: Broker
  #consumer: AsyncDisposable

  constructor(proxy: CuttableProxy, service: Service, broker: Broker, consumer: AsyncDisposable) {
    this.proxy = proxy
    this.service = service
    this.#broker = broker
    this.#consumer = consumer
  }

  /** Stops the consumer as SIGTERM does. */
  async stop(): Promise<void> {
    await this.#consumer[Symbol.asyncDispose]()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.proxy.resume('down')
    await this.stop()
    await this.#broker[Symbol.asyncDispose]()
    await this.proxy[Symbol.asyncDispose]()
  }
}

/** Consumes `scan` with the handler. `query` is added to the broker's URL. */
export async function startConsumer(
  testBroker: TestBroker,
  handler: Handler<Job>,
  options: Partial<ConsumeOptions> = {},
  query = '',
): Promise<ConsumerUnderTest> {
  const proxy = await openCuttableProxy(testBroker.url)
  const service = serviceStandIn()
  const url = Object.assign(new URL(testBroker.url), { port: proxy.port, search: query }).href
  const broker = await openBroker({ AMQP_URL: url, PUBLISH_TIMEOUT_MS: 10_000 }, service)
  return new ConsumerUnderTest(proxy, service, broker, await consume(broker, scan, handler, { ...OPTIONS, ...options }))
}

/** Puts jobs into `scan`; the queue must exist. */
export async function putJobs(testBroker: TestBroker, ...queueIds: string[]): Promise<void> {
  await Promise.all(queueIds.map((queueId) => testBroker.put('scan', encodeMessage(jobFor(queueId)))))
}

/** The queue ids of all jobs that wait in a queue, which this empties. */
export async function takeJobs(testBroker: TestBroker, queue: string): Promise<string[]> {
  const found: string[] = []
  for (let message = await testBroker.take(queue); message !== undefined; message = await testBroker.take(queue))
    found.push(/"queueId":"([^"]+)"/.exec(message.octets.toString())![1]!)
  return found
}
