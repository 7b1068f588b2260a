// Publishing with confirms: a promise resolves only when a majority of the quorum queue has the message on disk.
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { ChannelModel, ConfirmChannel } from 'amqplib'
import { encodeMessage } from './codec.ts'
import { BROKER, breakOff, declareQueues, type LinkOptions, openLink } from './link.ts'
import type { Publication } from './queues.ts'

export interface Publisher extends AsyncDisposable {
  /**
   * Publishes and waits for the confirm. @throws DependencyAway when no confirm came within the time limit; then the
   * broker may have the message all the same. @throws MessageNeverSent when it certainly does not.
   */
  publish(publication: Publication, traceparent: string): Promise<void>
  /** Publishes raw octets (for dead queues). */
  publishRaw(queue: string, octets: Buffer, headers: Record<string, unknown>): Promise<void>
}

/** The broker is away and does not have the message, nor will it get it. */
export class MessageNeverSent extends DependencyAway {
  constructor(cause: Error) {
    super(BROKER, { cause })
  }
}

type PublisherOptions = Omit<LinkOptions, 'setup' | 'onBlocked'> & { timeoutMs: number }

interface Pending {
  queue: string
  octets: Buffer
  headers: Record<string, unknown>
  isSent: boolean
  settle: (failure: DependencyAway | null) => void
}

class ConfirmingPublisher implements Publisher {
  #channel: ConfirmChannel | undefined
  #isBlocked = false
  #pending = new Map<string, Pending>()
  #sequence = 0
  #timeoutMs: number
  #link: AsyncDisposable | undefined

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  async open(options: PublisherOptions): Promise<void> {
    const onBlocked = (isBlocked: boolean) => {
      this.#isBlocked = isBlocked
      this.#sendWaiting()
    }
    this.#link = await openLink({ ...options, onBlocked, setup: (model) => this.#attach(model) })
  }

  async publish(publication: Publication, traceparent: string): Promise<void> {
    await this.publishRaw(publication.queue.name, encodeMessage(publication.message), { traceparent })
  }

  async publishRaw(queue: string, octets: Buffer, headers: Record<string, unknown>): Promise<void> {
    const messageId = `${process.pid}.${++this.#sequence}`
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = setTimeout(() => this.#fail(messageId, new Error('no publish confirm in time')), this.#timeoutMs)
    const settle = (failure: DependencyAway | null) => {
      clearTimeout(timer)
      this.#pending.delete(messageId)
      if (failure === null) resolve()
      else reject(failure)
    }
    const pending = { queue, octets, headers, isSent: false, settle }
    this.#pending.set(messageId, pending)
    if (this.#channel !== undefined && !this.#isBlocked) this.#send(this.#channel, messageId, pending)
    await promise
  }

  #sendWaiting(): void {
    if (this.#channel === undefined || this.#isBlocked) return
    for (const [messageId, pending] of this.#pending) if (!pending.isSent) this.#send(this.#channel, messageId, pending)
  }

  #send(channel: ConfirmChannel, messageId: string, pending: Pending): void {
    const { queue, octets, headers } = pending
    try {
      channel.publish('', queue, octets, { persistent: true, mandatory: true, messageId, headers }, (error) => {
        if (error) this.#fail(messageId, error)
        else this.#pending.get(messageId)?.settle(null)
      })
      pending.isSent = true
    } catch (error) {
      this.#fail(messageId, error as Error)
    }
  }

  #fail(messageId: string, cause: Error): void {
    const pending = this.#pending.get(messageId)
    pending?.settle(pending.isSent ? new DependencyAway(BROKER, { cause }) : new MessageNeverSent(cause))
  }

  async #attach(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel()
    // The broker returns an unroutable message before it confirms it.
    channel.on('return', (message) => {
      this.#pending.get(message.properties.messageId)?.settle(new MessageNeverSent(new Error('queue does not exist')))
      declareQueues(model).catch((error) => breakOff(model, error))
    })
    channel.on('error', () => {}) // 'close' follows and is handled
    channel.on('close', () => {
      if (this.#channel !== channel) return
      this.#detach()
      breakOff(model, new Error('publish channel closed')) // a new connection brings a new channel
    })
    this.#isBlocked = false
    this.#channel = channel
    this.#sendWaiting()
  }

  /** What was sent and not confirmed has failed; what was not sent yet waits for the next connection. */
  #detach(): void {
    this.#channel = undefined
    for (const [messageId, { isSent }] of this.#pending)
      if (isSent) this.#fail(messageId, new Error('connection lost before the publish confirm'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel = undefined
    await this.#link?.[Symbol.asyncDispose]()
    for (const messageId of [...this.#pending.keys()]) this.#fail(messageId, new Error('closed'))
  }
}

/** Opens a publisher with a connection of its own (the broker may throttle publishers; consumers must go on). */
export async function openPublisher(options: PublisherOptions): Promise<Publisher> {
  const publisher = new ConfirmingPublisher(options.timeoutMs)
  await publisher.open(options)
  return publisher
}
