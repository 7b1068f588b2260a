// Consuming a queue: what the handler returns is published and confirmed, then the message is acknowledged.
import { setTimeout as wait } from 'node:timers/promises'
import type { Content } from '@sekimori/mail/content'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import { Acknowledgements } from './acknowledgements.ts'
import type { Broker } from './broker.ts'
import { type Delivery, processDelivery } from './delivery.ts'
import { breakOff, openLink } from './link.ts'
import type { Publication, Queue } from './queues.ts'

/** Decides about one message. Throwing means "could not decide": the message is held or tried again. */
export type Handler<T> = (message: T) => Promise<Publication[]>

export interface ConsumeOptions {
  /** How many messages this process holds at the same time. */
  prefetch: number
  /** Attempts at a message that keeps failing before it goes to the dead queue. */
  attemptLimit: number
  /** How long closing waits for messages in hand. */
  drainTimeoutMs: number
}

/**
 * Starts to consume. Disposing cancels the consumer, waits for the messages in hand and closes the connection; what
 * is not finished by then goes back to the queue.
 */
export async function consume<T extends { content: Content }>(
  broker: Broker,
  queue: Queue<T>,
  handler: Handler<T>,
  options: ConsumeOptions,
): Promise<AsyncDisposable> {
  const consumer = new Consumer(broker, queue, handler, options)
  await consumer.open()
  return consumer
}

class Consumer<T extends { content: Content }> implements AsyncDisposable {
  #broker: Broker
  #queue: Queue<T>
  #handler: Handler<T>
  #options: ConsumeOptions
  #inHand = new Set<Promise<void>>()
  #consuming: { channel: Channel; consumerTag: string; acknowledgements: Acknowledgements<ConsumeMessage> } | undefined
  #generation = new AbortController()
  #draining = new AbortController()
  #link: AsyncDisposable | undefined

  constructor(broker: Broker, queue: Queue<T>, handler: Handler<T>, options: ConsumeOptions) {
    this.#broker = broker
    this.#queue = queue
    this.#handler = handler
    this.#options = options
  }

  async open(): Promise<void> {
    const { service, url } = this.#broker
    const { log, dependencies } = service
    this.#link = await openLink({
      url,
      name: `${service.name} consumer of ${this.#queue.name}`,
      log,
      dependencies,
      setup: (model) => this.#attach(model),
    })
  }

  async #attach(model: ChannelModel): Promise<void> {
    if (this.#draining.signal.aborted) return
    const channel = await model.createChannel()
    const generation = new AbortController()
    const lose = (reason: string) => {
      if (generation.signal.aborted) return
      generation.abort()
      breakOff(model, new Error(reason)) // a new connection brings a new consumer
    }
    channel.on('error', (error) => this.#broker.service.log.warn({ err: error }, 'consumer channel failed'))
    channel.on('close', () => lose('consumer channel closed'))
    await channel.prefetch(this.#options.prefetch)
    const halted = AbortSignal.any([generation.signal, this.#draining.signal])
    const acknowledgements = new Acknowledgements<ConsumeMessage>((message, isAllUpTo) => {
      // After a lost connection the broker delivers again; this acknowledgement belongs to nobody.
      if (generation.signal.aborted) return
      try {
        channel.ack(message, isAllUpTo)
      } catch (error) {
        lose(`the consumer channel takes no acknowledgement: ${(error as Error).message}`)
      }
    })
    const { consumerTag } = await channel.consume(this.#queue.name, (message) => {
      if (message === null) lose('the broker cancelled the consumer: its queue moved or was deleted')
      else this.#take(message, acknowledgements, halted)
    })
    this.#generation = generation
    this.#consuming = { channel, consumerTag, acknowledgements }
  }

  #take(message: ConsumeMessage, acknowledgements: Acknowledgements<ConsumeMessage>, halted: AbortSignal): void {
    acknowledgements.delivered(message)
    const delivery: Delivery = {
      octets: message.content,
      headers: message.properties.headers ?? {},
      acknowledge: () => acknowledgements.done(message),
      halted,
    }
    const work = processDelivery(delivery, this.#queue, this.#handler, this.#broker, this.#options.attemptLimit)
    this.#inHand.add(work)
    void work.finally(() => this.#inHand.delete(work))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#draining.abort()
    const finished = new AbortController()
    const finishing = this.#finish().finally(() => finished.abort())
    const late = wait(this.#options.drainTimeoutMs, undefined, { signal: finished.signal }).catch(() => {}) // in time
    await Promise.race([finishing, late])
    this.#consuming?.acknowledgements.flush()
    this.#generation.abort()
    await this.#link?.[Symbol.asyncDispose]()
  }

  /** Takes no new messages and waits for the ones in hand; those that are held or wait for another try are let go. */
  async #finish(): Promise<void> {
    const consuming = this.#generation.signal.aborted ? undefined : this.#consuming
    try {
      await consuming?.channel.cancel(consuming.consumerTag)
      await Promise.allSettled(this.#inHand)
      if (this.#generation.signal.aborted) return
      consuming?.acknowledgements.flush()
      this.#generation.abort()
      // The end of the connection would overtake the last acknowledgements; the end of the channel does not.
      await consuming?.channel.close()
    } catch (error) {
      this.#broker.service.log.info({ err: error }, 'the connection was lost while the consumer stopped')
      await Promise.allSettled(this.#inHand)
    }
  }
}
