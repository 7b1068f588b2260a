// Carries out what is due in quarantine: releases and deletions that operators ordered, and the end of the time that
// content is kept. Each replica looks after it; leases keep two off the same record.
import { setTimeout as wait } from 'node:timers/promises'
import type { Job } from '@sekimori/mail/job'
import { type Publication, publication, scan } from '@sekimori/queue/queues'
import type { Log } from '@sekimori/runtime/log'
import type { Ending } from '@sekimori/store/quarantine-end'
import { mayReturn } from './disposition.ts'
import { returned } from './tidings.ts'

export interface KeeperPorts {
  /** Marks a batch of what has been kept long enough; resolves to how many. */
  expire(): Promise<number>
  /** The next mail to be released, as a job; undefined when there is none. */
  nextRelease(): Promise<Job | undefined>
  markPublished(job: Job): Promise<void>
  /** The next record whose content is to go; undefined when there is none. */
  nextEnding(): Promise<Ending | undefined>
  finishEnding(ending: Ending): Promise<void>
  /** Resolves when the broker has it. */
  publish(publication: Publication): Promise<void>
  /** Resolves when every dependency is there, or the signal aborts. */
  whenUp(signal: AbortSignal): Promise<void>
  log: Log
}

/** Starts to look after the quarantine every `pollMs`. Disposing it, after `stopping`, waits for what is in hand. */
export function startQuarantineKeeper(ports: KeeperPorts, pollMs: number, stopping: AbortSignal): AsyncDisposable {
  const running = keep(ports, pollMs, stopping)
  return { [Symbol.asyncDispose]: () => running }
}

async function keep(ports: KeeperPorts, pollMs: number, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted) {
    await ports.whenUp(stopping)
    await untilNothing(() => releaseNext(ports), ports.log, stopping)
    await untilNothing(async () => (await ports.expire()) > 0, ports.log, stopping)
    await untilNothing(() => endNext(ports), ports.log, stopping)
    await wait(pollMs, undefined, { signal: stopping }).catch((error) => {
      if (!stopping.aborted) throw error
    })
  }
}

/** What fails has a lease that runs out, and is taken up again then. */
async function untilNothing(next: () => Promise<boolean>, log: Log, stopping: AbortSignal): Promise<void> {
  try {
    while (!stopping.aborted && (await next())) {}
  } catch (error) {
    log.warn({ err: error }, 'work in quarantine failed')
  }
}

/** Sends the next mail back to the scanner; false when there is none. */
export async function releaseNext(ports: KeeperPorts): Promise<boolean> {
  const job = await ports.nextRelease()
  if (job === undefined) return false
  await ports.publish(publication(scan, job))
  await ports.markPublished(job)
  ports.log.info({ queueId: job.queueId, direction: job.direction, outcome: 'released' }, 'quarantine')
  return true
}

/** Ends the next record; false when there is none. The sender of held mail believes it sent, and is told otherwise. */
export async function endNext(ports: KeeperPorts): Promise<boolean> {
  const ending = await ports.nextEnding()
  if (ending === undefined) return false
  const { id, job, reason, head, state } = ending
  if (id.kind === 'held' && job !== undefined && reason !== undefined && mayReturn(job))
    for (const notice of returned(job, job.envelope.recipients, reason, head)) await ports.publish(notice)
  await ports.finishEnding(ending)
  ports.log.info({ queueId: id.queueId, direction: id.direction, outcome: state }, 'quarantine')
  return true
}
