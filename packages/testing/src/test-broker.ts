// A virtual host of a test's own on the RabbitMQ that the test runner names: queue names are fixed, so tests can't share one.
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
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
  const model = await connect(url)
  return new VirtualHost(url, model, async () => {
    await model.close()
    await run(ctl, ['delete_vhost', vhost])
  })
}

class VirtualHost implements TestBroker {
  readonly url: string
  #model: ChannelModel
  #remove: () => Promise<void>
  #channel: Promise<ConfirmChannel> | undefined

  constructor(url: string, model: ChannelModel, remove: () => Promise<void>) {
    this.url = url
    this.#model = model
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
    const channel = await this.#model.createChannel()
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
    const channel = await this.#open()
    await new Promise<void>((resolve, reject) => {
      channel.publish('', queue, octets, { persistent: true, headers }, (error) => (error ? reject(error) : resolve()))
    })
  }

  async deleteQueue(queue: string): Promise<void> {
    await this.#ask((channel) => channel.deleteQueue(queue))
  }

  async empty(): Promise<void> {
    for (const { name, deadName } of everyQueue) {
      for (const queue of [name, deadName]) await this.#ask((channel) => channel.purgeQueue(queue))
    }
  }

  /** Undefined when the queue does not exist: the broker then closes the channel with 404. */
  async #ask<T>(work: (channel: Channel) => Promise<T>): Promise<T | undefined> {
    const channel = await this.#open()
    try {
      return await work(channel)
    } catch (error) {
      this.#channel = undefined
      if ((error as { code?: number }).code === 404) return undefined
      throw error
    }
  }

  #open(): Promise<ConfirmChannel> {
    this.#channel ??= this.#model.createConfirmChannel().then((channel) => {
      channel.on('error', () => {}) // the call that met it rejects as well
      return channel
    })
    return this.#channel
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#remove()
  }
}
