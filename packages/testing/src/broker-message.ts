// Puts a message into a queue of a running system, past every edge.
import { connect } from 'amqplib'

/** Resolves when the broker has it. */
export async function publishMessage(amqpUrl: string, queue: string, octets: Buffer): Promise<void> {
  const model = await connect(amqpUrl)
  try {
    const channel = await model.createConfirmChannel()
    channel.publish('', queue, octets, { persistent: true })
    await channel.waitForConfirms()
  } finally {
    await model.close()
  }
}
