// One delivered message: held while a dependency is away, tried again with backoff when the handler fails, given up into
// the dead queue at the limit.
import { setTimeout as wait } from 'node:timers/promises'
import type { Content } from '@sekimori/mail/content'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { deadJobs, jobSeconds } from '@sekimori/runtime/metrics'
import { attribute, endSpan, type Span, SpanKind, startSpan, traceparentOf } from '@sekimori/runtime/telemetry'
import type { Broker } from './broker.ts'
import { decodeMessage, UndecodableMessage } from './codec.ts'
import type { Handler } from './consume.ts'
import type { Queue } from './queues.ts'

export interface Delivery {
  octets: Buffer
  headers: Record<string, unknown>
  acknowledge: () => void
  /** Aborts when no new attempt may begin: the connection is lost, or the process drains. */
  halted: AbortSignal
}

/** A message that came back this often took a process down with it each time. */
const REDELIVERY_LIMIT = 100
const BACKOFF_MS = { first: 200, most: 30_000 }

/** `returned`: never begun, it goes back to the queue as it came; `abandoned`: begun, and not brought to an end. */
type Outcome = 'done' | 'dead' | 'returned' | 'abandoned'

/** Brings one delivery to an end. Never rejects. */
export async function processDelivery<T extends { content: Content }>(
  delivery: Delivery,
  queue: Queue<T>,
  handler: Handler<T>,
  broker: Broker,
  attemptLimit: number,
): Promise<void> {
  const startedAt = performance.now()
  const span = startSpan(`${queue.name} process`, SpanKind.CONSUMER, textOf(delivery.headers.traceparent))
  span.setAttributes({ [attribute.system]: 'rabbitmq', [attribute.destination]: queue.name })
  const work = new Work(delivery, queue, handler, broker, span)
  const { outcome, attempt } = await work.untilEnd(attemptLimit)
  const ms = performance.now() - startedAt
  jobSeconds.observe({ queue: queue.name, outcome }, ms / 1000)
  endSpan(span, outcome)
  const level = outcome === 'dead' ? 'error' : 'info'
  broker.service.log[level](
    {
      queue: queue.name,
      queueId: work.queueId,
      outcome,
      attempt,
      ms: Math.round(ms),
      traceId: span.spanContext().traceId,
    },
    'job',
  )
}

class Work<T extends { content: Content }> {
  queueId: string | undefined
  #delivery: Delivery
  #queue: Queue<T>
  #handler: Handler<T>
  #broker: Broker
  #span: Span

  constructor(delivery: Delivery, queue: Queue<T>, handler: Handler<T>, broker: Broker, span: Span) {
    this.#delivery = delivery
    this.#queue = queue
    this.#handler = handler
    this.#broker = broker
    this.#span = span
  }

  async untilEnd(attemptLimit: number): Promise<{ outcome: Outcome; attempt: number }> {
    const { halted } = this.#delivery
    const { dependencies } = this.#broker.service
    let reason = this.#faultOfDelivery()
    let attempt = 1
    let tries = 0
    for (; !halted.aborted; tries++) {
      await dependencies.whenUp(halted)
      if (halted.aborted) break
      try {
        if (reason === undefined) await this.#attempt()
        else await this.#bury(reason)
        return { outcome: reason === undefined ? 'done' : 'dead', attempt }
      } catch (error) {
        this.#broker.service.log.warn(
          { err: error, queue: this.#queue.name, queueId: this.queueId, attempt },
          'job failed',
        )
        const isAttempt = reason === undefined && !(error instanceof DependencyAway)
        if (isAttempt && (error instanceof UndecodableMessage || attempt >= attemptLimit)) reason = reasonOf(error)
        else {
          if (isAttempt) attempt++
          await backOff(tries, halted)
        }
      }
    }
    return { outcome: tries === 0 ? 'returned' : 'abandoned', attempt }
  }

  #faultOfDelivery(): string | undefined {
    const count = Number(this.#delivery.headers['x-delivery-count'] ?? 0)
    return count > REDELIVERY_LIMIT ? `redelivered ${count} times` : undefined
  }

  async #attempt(): Promise<void> {
    const message = decodeMessage(this.#queue, this.#delivery.octets)
    this.queueId = queueIdOf(message)
    if (this.queueId !== undefined) this.#span.setAttribute(attribute.queueId, this.queueId)
    const publications = await this.#handler(message)
    const traceparent = traceparentOf(this.#span)
    await Promise.all(publications.map((publication) => this.#broker.publisher.publish(publication, traceparent)))
    this.#delivery.acknowledge()
  }

  async #bury(reason: string): Promise<void> {
    // The broker's count of deliveries would bury a replayed message at once.
    const { 'x-delivery-count': _, ...kept } = this.#delivery.headers
    const headers = { ...kept, 'x-sekimori-reason': reason, 'x-sekimori-died-at': new Date().toISOString() }
    await this.#broker.publisher.publishRaw(this.#queue.deadName, this.#delivery.octets, headers)
    deadJobs.inc({ queue: this.#queue.name })
    this.#delivery.acknowledge()
  }
}

function reasonOf(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, 500)
}

function queueIdOf(message: object): string | undefined {
  const { queueId, job } = message as { queueId?: string; job?: { queueId?: string } }
  return queueId ?? job?.queueId
}

function textOf(header: unknown): string | undefined {
  return typeof header === 'string' ? header : undefined
}

async function backOff(tries: number, signal: AbortSignal): Promise<void> {
  const ms = Math.min(BACKOFF_MS.most, BACKOFF_MS.first * 2 ** tries) * (0.5 + Math.random() / 2)
  await wait(ms, undefined, { signal }).catch((error) => {
    if (!signal.aborted) throw error
  })
}
