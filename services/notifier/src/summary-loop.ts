// The loop that mails summaries of warnings over the cap when their time has come. Each replica runs one; a summary that
// two of them publish is one mail, by its queue id.
import { setTimeout as wait } from 'node:timers/promises'
import { type Publication, publication, sign } from '@sekimori/queue/queues'
import type { Log } from '@sekimori/runtime/log'
import type { WarningSummary } from '@sekimori/store/warning-summary'
import { summaryJob } from './compose.ts'
import { summaryText } from './summary-text.ts'

export interface SummaryPorts {
  hostname: string
  due(): Promise<string[]>
  /** Undefined when the account is gone. */
  close(id: string): Promise<WarningSummary | undefined>
  publish(publication: Publication): Promise<void>
  markPublished(id: string): Promise<void>
  /** Resolves when every dependency is there, or the signal aborts. */
  whenUp(signal: AbortSignal): Promise<void>
  log: Log
}

/** Starts the loop. Disposing it, after `stopping`, waits for the summary in hand. */
export function startSummaryLoop(ports: SummaryPorts, pollMs: number, stopping: AbortSignal): AsyncDisposable {
  const running = run(ports, pollMs, stopping)
  return { [Symbol.asyncDispose]: () => running }
}

async function run(ports: SummaryPorts, pollMs: number, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await ports.whenUp(stopping)
    if (!stopping.aborted) await sendDueSummaries(ports)
    await wait(pollMs, undefined, { signal: stopping }).catch(() => {}) // stopping ends the pause
  }
}

/** One round. What fails is taken up again in the next one. */
export async function sendDueSummaries(ports: SummaryPorts): Promise<void> {
  try {
    for (const id of await ports.due()) await send(id, ports)
  } catch (error) {
    ports.log.warn({ err: error }, 'summaries of warnings could not be sent')
  }
}

async function send(id: string, ports: SummaryPorts): Promise<void> {
  const summary = await ports.close(id)
  if (summary === undefined) return
  const text = summaryText[summary.locale](summary)
  await ports.publish(publication(sign, await summaryJob(summary.queueId, ports.hostname, summary, text)))
  await ports.markPublished(id)
}
