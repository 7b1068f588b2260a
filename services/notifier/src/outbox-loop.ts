// Hands notices that other services left in the database, together with what they are about, to our own queue. Each replica
// does; a notice that is published twice is still one mail for each party.
import { setTimeout as wait } from 'node:timers/promises'
import { notify, type Publication, publication } from '@sekimori/queue/queues'
import type { Log } from '@sekimori/runtime/log'
import type { WaitingNotice } from '@sekimori/store/notice-outbox'

export interface OutboxPorts {
  waiting(): Promise<WaitingNotice[]>
  /** Resolves when the broker has it. */
  publish(publication: Publication): Promise<void>
  remove(id: string): Promise<void>
  /** Resolves when every dependency is there, or the signal aborts. */
  whenUp(signal: AbortSignal): Promise<void>
  log: Log
}

/** Starts the loop. Disposing it, after `stopping`, waits for the notices in hand. */
export function startOutboxLoop(ports: OutboxPorts, pollMs: number, stopping: AbortSignal): AsyncDisposable {
  const running = run(ports, pollMs, stopping)
  return { [Symbol.asyncDispose]: () => running }
}

async function run(ports: OutboxPorts, pollMs: number, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await ports.whenUp(stopping)
    if (!stopping.aborted && (await emptyOutbox(ports))) continue
    await wait(pollMs, undefined, { signal: stopping }).catch(() => {}) // stopping ends the pause
  }
}

/** One round; resolves to whether there was anything. What fails is taken up again in the next one. */
export async function emptyOutbox(ports: OutboxPorts): Promise<boolean> {
  try {
    const waiting = await ports.waiting()
    await Promise.all(
      waiting.map(async ({ id, notice }) => {
        await ports.publish(publication(notify, notice))
        await ports.remove(id)
      }),
    )
    return waiting.length > 0
  } catch (error) {
    ports.log.warn({ err: error }, 'notices could not be handed to their queue')
    return false
  }
}
