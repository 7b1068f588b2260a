// Consuming a queue: what the handler returns is published and confirmed, then the message is acknowledged.
import type { Content } from '@sekimori/mail/content'
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib'
import type { Broker } from './broker.ts'
import { type Delivery, processDelivery } from './delivery.ts'
import { openLink } from './link.ts'
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
  #channel: Channel | undefined
  #consumerTag = ''
  #generation = new AbortController()
  #draining = new AbortController()
  #close: () => Promise<void> = async () => {}

  constructor(broker: Broker, queue: Queue<T>, handler: Handler<T>, options: ConsumeOptions) {
    this.#broker = broker
    this.#queue = queue
    this.#handler = handler
    this.#options = options
  }

  async open(): Promise<void> {
    const { service, url } = this.#broker
    const { log, dependencies } = service
    const link = await openLink({
      url,
      name: `${service.name} consumer`,
      log,
      dependencies,
      setup: (model) => this.#attach(model),
    })
    link.on('disconnect', () => this.#generation.abort())
    this.#close = () => link.close()
  }

  async #attach(model: ChannelModel): Promise<void> {
    const channel = await model.createChannel()
    const generation = new AbortController()
    this.#generation = generation
    const lose = () => {
      generation.abort()
      if (this.#channel === channel) void model.close().catch(() => {}) // a new connection brings a new consumer
    }
    channel.on('error', (error) => this.#broker.service.log.warn({ err: error }, 'consumer channel failed'))
    channel.on('close', lose)
    await channel.prefetch(this.#options.prefetch)
    const halted = AbortSignal.any([generation.signal, this.#draining.signal])
    const { consumerTag } = await channel.consume(this.#queue.name, (message) => {
      if (message === null)
        lose() // the broker cancelled us: the queue moved or was deleted
      else this.#take(channel, message, generation.signal, halted)
    })
    this.#channel = channel
    this.#consumerTag = consumerTag
  }

  #take(channel: Channel, message: ConsumeMessage, abandoned: AbortSignal, halted: AbortSignal): void {
    const delivery: Delivery = {
      octets: message.content,
      headers: message.properties.headers ?? {},
      acknowledge: () => {
        // After a lost connection the broker delivers again; this acknowledgement belongs to nobody.
        if (!abandoned.aborted) channel.ack(message)
      },
      halted,
    }
    const work = processDelivery(delivery, this.#queue, this.#handler, this.#broker, this.#options.attemptLimit)
    this.#inHand.add(work)
    void work.finally(() => this.#inHand.delete(work))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const channel = this.#channel
    this.#channel = undefined
    if (channel !== undefined && !this.#generation.signal.aborted) await channel.cancel(this.#consumerTag)
    this.#draining.abort()
    const timer = setTimeout(() => this.#generation.abort(), this.#options.drainTimeoutMs)
    await Promise.allSettled(this.#inHand)
    clearTimeout(timer)
    await this.#close()
  }
}
