// What becomes of a mail for other servers: its first attempt. Throwing means "not decided": the job stays in the queue.
import type { Job } from '@sekimori/mail/job'
import type { Publication } from '@sekimori/queue/queues'
import { type AttemptPorts, attempt } from './attempt.ts'
import { firstStanding } from './decision.ts'

export interface Ports extends AttemptPorts {
  /** Recipients that have ended, or wait in the schedule: a job that comes again leaves them alone. */
  settledRecipients(queueId: string): Promise<ReadonlySet<string>>
  /** Lets go of the content that the job holds. */
  release(job: Job): Promise<void>
  /** Aborts when there is no more time for dialogues. */
  drained: AbortSignal
}

/**
 * Attempts the recipients that are open. Nothing is returned for publication: a notice must be confirmed before its
 * recipient's end is written, or a crash in between would lose it (see attempt.ts).
 */
export async function handleDeliverRemote(job: Job, ports: Ports): Promise<Publication[]> {
  const settled = await ports.settledRecipients(job.queueId)
  const open = job.envelope.recipients.filter(({ address }) => !settled.has(address))
  const standing = firstStanding(ports.schedule, Date.now())
  if (open.length > 0) await attempt(job, open, standing, ports, ports.drained)
  await ports.release(job)
  return []
}
