// A connection to RabbitMQ that comes back by itself (amqplib's recovery), with the topology declared each time.
import type { Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Dependencies } from '@sekimori/runtime/dependency'
import type { Log } from '@sekimori/runtime/log'
import { type ChannelModel, connect } from 'amqplib'
import { everyQueue } from './queues.ts'

export const BROKER = 'rabbitmq'

/**
 * RabbitMQ 4 drops a message from a quorum queue after 20 returns unless told otherwise. Ours are only given up by the
 * consumer, into the dead queue, so the broker's own limit is put out of reach (a number, since 3.x knows no -1).
 */
const DELIVERY_LIMIT = 1_000_000_000
const FRAME_MAX_BYTES = 131_072
const CONNECT_TIMEOUT_MS = 10_000
const CLOSE_TIMEOUT_MS = 2_000

export interface LinkOptions {
  url: string
  name: string
  log: Log
  dependencies: Dependencies
  /** Called after each (re)connection, when the queues exist. */
  setup: (model: ChannelModel) => Promise<void>
  /** Called when the broker takes no messages for want of memory or disk, and when it does again. */
  onBlocked?: ((isBlocked: boolean) => void) | undefined
  connectTimeoutMs?: number | undefined
}

/** Opens the connection and keeps it; resolves at once, whether the broker is there or not. Disposing closes it. */
export async function openLink(options: LinkOptions): Promise<AsyncDisposable> {
  const { name, log, dependencies, onBlocked } = options
  const dependency = `${BROKER} (${name})`
  dependencies.down(dependency, 'not connected yet')
  let current: ChannelModel | undefined
  const link = await connect(brokerUrl(options.url), {
    noDelay: true,
    keepAlive: true,
    timeout: options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    clientProperties: { connection_name: name },
    recovery: {
      waitForConnect: false,
      initialDelay: 100,
      maxDelay: 2_000,
      setup: (model: ChannelModel) => {
        current = model
        return prepare(model, options)
      },
    },
  })
  link.on('connect', () => dependencies.up(dependency))
  link.on('disconnect', (error) => dependencies.down(dependency, error.message))
  link.on('connect-failed', (error) => {
    dependencies.down(dependency, error.message)
    log.debug({ err: error, link: name }, 'broker connection attempt failed')
  })
  link.on('error', (error) => log.warn({ err: error, link: name }, 'broker connection failed'))
  link.on('blocked', (reason) => {
    dependencies.down(dependency, `takes no messages: ${reason}`)
    onBlocked?.(true)
  })
  link.on('unblocked', () => {
    dependencies.up(dependency)
    onBlocked?.(false)
  })
  return { [Symbol.asyncDispose]: () => close(link, () => current) }
}

async function prepare(model: ChannelModel, { name, log, setup }: LinkOptions): Promise<void> {
  // An error event without a listener would end the process; the 'close' that follows starts the recovery.
  model.on('error', (error) => log.warn({ err: error, link: name }, 'broker connection failed'))
  let isClosed = false
  const closed = new Promise<void>((resolve) => {
    model.on('close', () => {
      isClosed = true
      // amqplib only half-closes the socket, and a peer that is gone never closes the other half.
      setTimeout(() => socketOf(model).destroy(), CLOSE_TIMEOUT_MS).unref()
      resolve()
    })
  })
  try {
    await declareQueues(model)
    await setup(model)
    // The recovery looks for the end of a connection only from here on.
    if (isClosed) throw new Error('the connection was closed while it was set up')
  } catch (error) {
    // The recovery would wait for the broker's goodbye, which may never come.
    if (!isClosed) {
      breakOff(model, error as Error)
      await closed
    }
    throw error
  }
}

/** Ends a connection without the broker's goodbye; the recovery then makes a new one. */
export function breakOff(model: ChannelModel, reason: Error): void {
  socketOf(model).destroy(reason)
}

function socketOf(model: ChannelModel): Socket {
  return (model.connection as unknown as { stream: Socket }).stream
}

async function close(link: { close(): Promise<void> }, current: () => ChannelModel | undefined): Promise<void> {
  const answered = new AbortController()
  const closing = link.close().finally(() => answered.abort())
  const late = wait(CLOSE_TIMEOUT_MS, undefined, { signal: answered.signal }).catch(() => {}) // closed in time
  await Promise.race([closing, late])
  const model = current()
  if (!answered.signal.aborted && model !== undefined) breakOff(model, new Error('closed'))
}

function brokerUrl(text: string): string {
  const url = URL.parse(text)
  // The text holds a password, so it must not come with the error.
  if (url === null) throw new Error('AMQP_URL is not a URL (amqp://user:password@host:port/vhost)')
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', '10')
  if (!url.searchParams.has('frameMax')) url.searchParams.set('frameMax', String(FRAME_MAX_BYTES))
  return url.href
}

/** Makes the queues that do not exist. */
export async function declareQueues(model: ChannelModel): Promise<void> {
  const channel = await model.createChannel()
  channel.on('error', () => {}) // the call that met it rejects as well
  for (const { name, deadName } of everyQueue) {
    for (const queue of [name, deadName]) {
      await channel.assertQueue(queue, {
        durable: true,
        arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT },
      })
    }
  }
  await channel.close()
}
