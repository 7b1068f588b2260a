// Tells each domain's postmaster about DKIM keys whose DNS records are to be changed, and counts such keys for operators. Each
// replica runs it; a notice that two of them publish is one mail, by its queue id.
import { setTimeout as wait } from 'node:timers/promises'
import { derivedQueueIdAt } from '@sekimori/mail/queue-id'
import { type Publication, publication, sign } from '@sekimori/queue/queues'
import type { Log } from '@sekimori/runtime/log'
import { registry } from '@sekimori/runtime/metrics'
import type { KeyProblem } from '@sekimori/store/dkim-key-notice'
import { Gauge } from 'prom-client'
import { plainJob } from './compose.ts'
import { keyNoticeText } from './key-notice-text.ts'

export interface KeyNoticePorts {
  hostname: string
  problems(): Promise<KeyProblem[]>
  publish(publication: Publication): Promise<void>
  markTold(problems: KeyProblem[]): Promise<void>
  /** Resolves when every dependency is there, or the signal aborts. */
  whenUp(signal: AbortSignal): Promise<void>
  log: Log
}

const problemKeys = new Gauge({
  name: 'sekimori_dkim_key_problems',
  help: 'DKIM keys whose DNS records are to be published (publish), put back (restore) or removed (remove)',
  labelNames: ['reason'],
  registers: [registry],
})

/** Starts the loop. Disposing it, after `stopping`, waits for the notice in hand. */
export function startKeyNoticeLoop(ports: KeyNoticePorts, pollMs: number, stopping: AbortSignal): AsyncDisposable {
  const running = run(ports, pollMs, stopping)
  return { [Symbol.asyncDispose]: () => running }
}

async function run(ports: KeyNoticePorts, pollMs: number, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await ports.whenUp(stopping)
    if (!stopping.aborted) await sendKeyNotices(ports)
    await wait(pollMs, undefined, { signal: stopping }).catch(() => {}) // stopping ends the pause
  }
}

/** One round: a mail for each domain with something due. What fails is taken up again in the next one. */
export async function sendKeyNotices(ports: KeyNoticePorts): Promise<void> {
  try {
    const problems = await ports.problems()
    for (const reason of ['publish', 'restore', 'remove'] as const)
      problemKeys.set({ reason }, problems.filter((problem) => problem.reason === reason).length)
    const due = Map.groupBy(
      problems.filter(({ isDue }) => isDue),
      ({ domain }) => domain,
    )
    for (const [domain, ofDomain] of due) await send(domain, ofDomain, ports)
  } catch (error) {
    ports.log.warn({ err: error }, 'notices about DKIM keys could not be sent')
  }
}

async function send(domain: string, problems: KeyProblem[], ports: KeyNoticePorts): Promise<void> {
  const cause = problems.map(({ id, reason, toldAt }) => `${id} ${reason} ${toldAt}`).join(',')
  // Its time says when the notice before was sent, so that a repetition has the same.
  const queueId = derivedQueueIdAt(Math.max(...problems.map(({ toldAt }) => toldAt)), `keys ${cause}`)
  const addressee = { address: `postmaster@${domain}`, locale: 'ja' as const }
  const job = await plainJob(queueId, ports.hostname, addressee, keyNoticeText(domain, problems))
  await ports.publish(publication(sign, job))
  await ports.markTold(problems)
}
