// Takes given-up messages out of the dead queues, one after the other: acknowledged when whoever keeps them has them safe.
import { createHash } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type { Content } from '@sekimori/mail/content'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import type { Broker } from './broker.ts'
import { decodeMessage, UndecodableMessage } from './codec.ts'
import { breakOff, openLink } from './link.ts'
import { everyQueue, type Queue } from './queues.ts'

/** A given-up message. `id` is the same however often it is delivered, and another one when it dies again. */
export interface DeadMessage {
  id: string
  /** The queue whose consumer gave it up. */
  queue: string
  reason: string
  diedAt: Date
  /** Undefined when it can't be decoded. */
  message: { content: Content } | undefined
  octets: Buffer
  /** The headers with which it may be published again. */
  headers: Record<string, string>
}

const PREFETCH = 20
const RETRY_MS = 1_000
const ID_LETTERS = 32
const REASON = 'x-sekimori-reason'
const DIED_AT = 'x-sekimori-died-at'

type Keep = (message: DeadMessage) => Promise<void>

/** Starts to take messages; what `keep` fails at is given to it again. Disposing waits for the ones in hand. */
export async function consumeDead(broker: Broker, keep: Keep): Promise<AsyncDisposable> {
  const collector = new DeadCollector(broker, keep)
  await collector.open()
  return collector
}

class DeadCollector implements AsyncDisposable {
  #broker: Broker
  #keep: Keep
  #closing = new AbortController()
  #inHand = new Set<Promise<void>>()
  #channel: Channel | undefined
  #link: AsyncDisposable | undefined

  constructor(broker: Broker, keep: Keep) {
    this.#broker = broker
    this.#keep = keep
  }

  async open(): Promise<void> {
    const { service, url } = this.#broker
    const { log, dependencies, name } = service
    const setup = (model: ChannelModel) => this.#attach(model)
    this.#link = await openLink({ url, name: `${name} consumer of dead queues`, log, dependencies, setup })
  }

  async #attach(model: ChannelModel): Promise<void> {
    if (this.#closing.signal.aborted) return
    const channel = await model.createChannel()
    const lost = new AbortController()
    const lose = (reason: string) => {
      if (lost.signal.aborted || this.#closing.signal.aborted) return
      lost.abort()
      breakOff(model, new Error(reason)) // a new connection brings new consumers
    }
    channel.on('error', (error) => this.#broker.service.log.warn({ err: error }, 'channel of the dead queues failed'))
    channel.on('close', () => lose('channel of the dead queues closed'))
    await channel.prefetch(PREFETCH)
    for (const queue of everyQueue)
      await channel.consume(queue.deadName, (message) => {
        if (message === null) lose('the broker cancelled the consumer: its queue moved or was deleted')
        else this.#take(channel, queue, message, lost.signal)
      })
    this.#channel = channel
  }

  #take(channel: Channel, queue: Queue<{ content: Content }>, message: ConsumeMessage, lost: AbortSignal): void {
    const halted = AbortSignal.any([lost, this.#closing.signal])
    const work = this.#keepOne(deadMessage(queue, message), halted).then((isKept) => {
      if (isKept && !lost.aborted) channel.ack(message)
    })
    this.#inHand.add(work)
    void work.finally(() => this.#inHand.delete(work))
  }

  /** False when it is to go back to its queue. */
  async #keepOne(message: DeadMessage, halted: AbortSignal): Promise<boolean> {
    while (!halted.aborted) {
      try {
        await this.#keep(message)
        return true
      } catch (error) {
        this.#broker.service.log.warn({ err: error, queue: message.queue }, 'a dead job could not be kept yet')
        await wait(RETRY_MS, undefined, { signal: halted }).catch(() => {}) // halted: it goes back
      }
    }
    return false
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await Promise.all(this.#inHand)
    // The end of the connection would overtake the last acknowledgements; the end of the channel does not.
    await this.#channel?.close().catch(() => {}) // the connection is lost already
    await this.#link?.[Symbol.asyncDispose]()
  }
}

function deadMessage(queue: Queue<{ content: Content }>, { content: octets, properties }: ConsumeMessage): DeadMessage {
  const { [REASON]: reason, [DIED_AT]: diedAt, traceparent } = (properties.headers ?? {}) as Record<string, unknown>
  const digest = createHash('sha256')
    .update(`${queue.name}\n${String(diedAt)}\n`)
    .update(octets)
    .digest('hex')
  const time = new Date(String(diedAt))
  return {
    id: digest.slice(0, ID_LETTERS),
    queue: queue.name,
    reason: typeof reason === 'string' ? reason : 'unknown',
    diedAt: Number.isNaN(time.getTime()) ? new Date() : time,
    message: decoded(queue, octets),
    octets,
    headers: typeof traceparent === 'string' ? { traceparent } : {},
  }
}

function decoded(queue: Queue<{ content: Content }>, octets: Buffer): { content: Content } | undefined {
  try {
    return decodeMessage(queue, octets)
  } catch (error) {
    if (error instanceof UndecodableMessage) return undefined
    throw error
  }
}
