// A connection to RabbitMQ that comes back by itself (amqplib's recovery), with the topology declared each time.
import type { Dependencies } from '@sekimori/runtime/dependency'
import type { Log } from '@sekimori/runtime/log'
import { type ChannelModel, connect, type RecoveringChannelModel } from 'amqplib'
import { everyQueue } from './queues.ts'

export const BROKER = 'rabbitmq'

/**
 * RabbitMQ 4 drops a message from a quorum queue after 20 returns unless told otherwise. Ours are only given up by the
 * consumer, into the dead queue, so the broker's own limit is put out of reach (a number, since 3.x knows no -1).
 */
const DELIVERY_LIMIT = 1_000_000_000
const FRAME_MAX_BYTES = 131_072

export interface LinkOptions {
  url: string
  name: string
  log: Log
  dependencies: Dependencies
  /** Called after each (re)connection, when the queues exist. */
  setup: (model: ChannelModel) => Promise<void>
}

/** Opens the connection and keeps it; resolves at once, whether the broker is there or not. */
export async function openLink(options: LinkOptions): Promise<RecoveringChannelModel> {
  const { name, log, dependencies } = options
  const dependency = `${BROKER} (${name})`
  dependencies.down(dependency, 'not connected yet')
  const link = await connect(brokerUrl(options.url), {
    noDelay: true,
    keepAlive: true,
    clientProperties: { connection_name: name },
    recovery: {
      waitForConnect: false,
      initialDelay: 100,
      maxDelay: 2_000,
      setup: async (model: ChannelModel) => {
        // An error event without a listener would end the process; the 'close' that follows starts the recovery.
        model.on('error', (error) => log.warn({ err: error, link: name }, 'broker connection failed'))
        await declareQueues(model)
        await options.setup(model)
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
  return link
}

function brokerUrl(text: string): string {
  const url = new URL(text)
  if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', '10')
  if (!url.searchParams.has('frameMax')) url.searchParams.set('frameMax', String(FRAME_MAX_BYTES))
  return url.href
}

async function declareQueues(model: ChannelModel): Promise<void> {
  const channel = await model.createChannel()
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
