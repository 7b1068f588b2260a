// A virtual host of a test's own on the RabbitMQ that the test runner names: queue names are fixed, so tests can't share one.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { promisify } from 'node:util'
import { everyQueue } from '@sekimori/queue/queues'
import { type Channel, type ChannelModel, type ConfirmChannel, connect } from 'amqplib'

const run = promisify(execFile)

export interface FoundMessage {
  octets: Buffer
  headers: Record<string, unknown>
}

export interface TestBroker extends AsyncDisposable {
  /** The AMQP_URL of the virtual host. */
  url: string
  /** How many messages lie in a queue that no consumer holds; 0 when there is no such queue. */
  ready(queue: string): Promise<number>
  /** How many consumers the queue has. */
  consumers(queue: string): Promise<number>
  exists(queue: string): Promise<boolean>
  /** Takes the next message out of a queue. */
  take(queue: string): Promise<FoundMessage | undefined>
  /** Waits for the next message as a consumer gets it: with the headers that it was published with. */
  deliver(queue: string): Promise<FoundMessage>
  put(queue: string, octets: Buffer, headers?: Record<string, unknown>): Promise<void>
  deleteQueue(queue: string): Promise<void>
  /** Empties all queues, for the next test of a file. */
  empty(): Promise<void>
}

/** Makes the virtual host. Disposing removes it with all that is in it. */
export async function createTestBroker(): Promise<TestBroker> {
  const server = process.env.TEST_AMQP_URL
  const ctl = process.env.TEST_RABBITMQ_CTL
  if (!server || !ctl) throw new Error('TEST_AMQP_URL and TEST_RABBITMQ_CTL are not set: run npm test')
  const vhost = `test_${randomBytes(6).toString('hex')}`
  // One call instead of add_vhost and set_permissions: each starts a virtual machine.
  const user = new URL(server).username
  await run(ctl, [
    'eval',
    `rabbit_vhost:add(<<"${vhost}">>, <<"test">>), rabbit_auth_backend_internal:set_permissions(<<"${user}">>, <<"${vhost}">>, <<".*">>, <<".*">>, <<".*">>, <<"test">>).`,
  ])
  const url = Object.assign(new URL(server), { pathname: `/${vhost}` }).href
  return new VirtualHost(url, async () => {
    await run(ctl, ['delete_vhost', vhost])
  })
}

/** Longest wait for an answer of the broker. */
const ANSWER_MS = 20_000

interface Line {
  model: ChannelModel
  channel: ConfirmChannel
  /** Rejects when the connection ends. */
  lost: Promise<never>
}

class VirtualHost implements TestBroker {
  readonly url: string
  #remove: () => Promise<void>
  #line: Promise<Line> | undefined

  constructor(url: string, remove: () => Promise<void>) {
    this.url = url
    this.#remove = remove
  }

  async ready(queue: string): Promise<number> {
    return (await this.#ask(async (channel) => (await channel.checkQueue(queue)).messageCount)) ?? 0
  }

  async consumers(queue: string): Promise<number> {
    return (await this.#ask(async (channel) => (await channel.checkQueue(queue)).consumerCount)) ?? 0
  }

  async exists(queue: string): Promise<boolean> {
    return (await this.#ask((channel) => channel.checkQueue(queue))) !== undefined
  }

  take(queue: string): Promise<FoundMessage | undefined> {
    return this.#ask(async (channel) => {
      const message = await channel.get(queue, { noAck: true })
      return message === false ? undefined : { octets: message.content, headers: message.properties.headers ?? {} }
    })
  }

  async deliver(queue: string): Promise<FoundMessage> {
    const { model } = await this.#open()
    const channel = await model.createChannel()
    const { promise, resolve, reject } = Promise.withResolvers<FoundMessage>()
    await channel.prefetch(1)
    await channel.consume(queue, (message) => {
      if (message === null) return reject(new Error(`${queue} was deleted`))
      channel.ack(message)
      resolve({ octets: message.content, headers: message.properties.headers ?? {} })
    })
    const found = await promise
    await channel.close()
    return found
  }

  async put(queue: string, octets: Buffer, headers: Record<string, unknown> = {}): Promise<void> {
    const { channel, lost } = await this.#open()
    const confirmed = new Promise<void>((resolve, reject) => {
      channel.publish('', queue, octets, { persistent: true, headers }, (error) => (error ? reject(error) : resolve()))
    })
    await Promise.race([confirmed, lost])
  }

  async deleteQueue(queue: string): Promise<void> {
    await this.#ask((channel) => channel.deleteQueue(queue))
  }

  async empty(): Promise<void> {
    for (const { name, deadName } of everyQueue) {
      for (const queue of [name, deadName]) await this.#ask((channel) => channel.purgeQueue(queue))
    }
  }

  /**
   * Undefined when the queue does not exist: the broker then closes the channel with 404. It closes the whole connection
   * (541) over a question about a queue that is just being made; whoever asks again does so on a new one.
   */
  async #ask<T>(work: (channel: Channel) => Promise<T>): Promise<T | undefined> {
    const line = await this.#open().catch((error) => {
      this.#line = undefined
      throw error
    })
    const late = new AbortController()
    const silence = wait(ANSWER_MS, undefined, { signal: late.signal }).then(() => {
      throw new Error('the broker does not answer')
    })
    try {
      return await Promise.race([work(line.channel), line.lost, silence])
    } catch (error) {
      const isMissing = (error as { code?: number }).code === 404
      this.#line = isMissing ? openChannel(line.model, line.lost) : undefined
      this.#line?.catch(() => {}) // who asks next hears of it
      if (isMissing) return undefined
      ;(line.model.connection as unknown as { stream: Socket }).stream.destroy()
      throw error
    } finally {
      silence.catch(() => {}) // nobody waits for it any more
      late.abort()
    }
  }

  #open(): Promise<Line> {
    this.#line ??= openLine(this.url)
    return this.#line
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const line = await this.#line?.catch(() => undefined) // there is nothing to close
    await line?.model.close()
    await this.#remove()
  }
}

async function openLine(url: string): Promise<Line> {
  const model = await connect(url)
  model.on('error', () => {}) // 'close' follows
  const { promise: lost, reject } = Promise.withResolvers<never>()
  lost.catch(() => {}) // who asks something then hears of it
  model.on('close', () => reject(new Error('the broker closed the connection')))
  return openChannel(model, lost)
}

async function openChannel(model: ChannelModel, lost: Promise<never>): Promise<Line> {
  const channel = await Promise.race([model.createConfirmChannel(), lost])
  channel.on('error', () => {}) // the call that met it rejects as well
  return { model, channel, lost }
}
