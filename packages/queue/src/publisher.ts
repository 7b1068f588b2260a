// Publishing with confirms: a promise resolves only when a majority of the quorum queue has the message on disk.
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { ChannelModel, ConfirmChannel } from 'amqplib'
import { encodeMessage } from './codec.ts'
import { BROKER, type LinkOptions, openLink } from './link.ts'
import type { Publication } from './queues.ts'

export interface Publisher extends AsyncDisposable {
  /** Publishes and waits for the confirm. @throws DependencyAway when no confirm came within the time limit. */
  publish(publication: Publication, traceparent: string): Promise<void>
  /** Publishes raw octets (for dead queues). */
  publishRaw(queue: string, octets: Buffer, headers: Record<string, unknown>): Promise<void>
}

type PublisherOptions = Omit<LinkOptions, 'setup'> & { timeoutMs: number }

interface Pending {
  settle: (error: Error | null) => void
}

class ConfirmingPublisher implements Publisher {
  #channel: ConfirmChannel | undefined
  #waiting = new Set<() => void>()
  #pending = new Map<string, Pending>()
  #sequence = 0
  #timeoutMs: number
  #close: () => Promise<void> = async () => {}

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs
  }

  async open(options: PublisherOptions): Promise<void> {
    const link = await openLink({ ...options, setup: (model) => this.#attach(model) })
    link.on('disconnect', (error) => this.#detach(error))
    this.#close = () => link.close()
  }

  async publish(publication: Publication, traceparent: string): Promise<void> {
    await this.publishRaw(publication.queue.name, encodeMessage(publication.message), { traceparent })
  }

  async publishRaw(queue: string, octets: Buffer, headers: Record<string, unknown>): Promise<void> {
    const messageId = `${process.pid}.${++this.#sequence}`
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const send = () => this.#send(queue, octets, { messageId, headers })
    const timer = setTimeout(
      () => this.#pending.get(messageId)?.settle(new Error('no publish confirm in time')),
      this.#timeoutMs,
    )
    this.#pending.set(messageId, {
      settle: (error) => {
        clearTimeout(timer)
        this.#waiting.delete(send)
        this.#pending.delete(messageId)
        if (error === null) resolve()
        else reject(new DependencyAway(BROKER, { cause: error }))
      },
    })
    if (this.#channel === undefined) this.#waiting.add(send)
    else send()
    await promise
  }

  #send(
    queue: string,
    octets: Buffer,
    { messageId, headers }: { messageId: string; headers: Record<string, unknown> },
  ): void {
    const settle = (error: Error | null) => this.#pending.get(messageId)?.settle(error)
    try {
      this.#channel!.publish('', queue, octets, { persistent: true, mandatory: true, messageId, headers }, (error) =>
        settle(error ?? null),
      )
    } catch (error) {
      settle(error as Error)
    }
  }

  async #attach(model: ChannelModel): Promise<void> {
    const channel = await model.createConfirmChannel()
    // The broker returns an unroutable message before it confirms it.
    channel.on('return', (message) =>
      this.#pending.get(message.properties.messageId)?.settle(new Error('queue does not exist')),
    )
    channel.on('error', () => {}) // 'close' follows and is handled
    channel.on('close', () => {
      if (this.#channel !== channel) return
      this.#detach(new Error('publish channel closed'))
      void model.close().catch(() => {}) // a new connection brings a new channel
    })
    this.#channel = channel
    const waiting = [...this.#waiting]
    this.#waiting.clear()
    for (const send of waiting) send()
  }

  #detach(error: Error): void {
    this.#channel = undefined
    for (const [messageId, pending] of this.#pending) {
      if (messageId !== undefined) pending.settle(error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#channel = undefined
    await this.#close()
    this.#detach(new Error('closed'))
  }
}

/** Opens a publisher with a connection of its own (the broker may throttle publishers; consumers must go on). */
export async function openPublisher(options: PublisherOptions): Promise<Publisher> {
  const publisher = new ConfirmingPublisher(options.timeoutMs)
  await publisher.open(options)
  return publisher
}
