// Why a recipient gets nothing: what the trace says of it, and what an authenticated sender is told.
import type { Job } from '@sekimori/mail/job'
import { traceEntry } from '@sekimori/store/trace'
import type { Failed } from './bounce.ts'
import type { DeadEnd } from './plan.ts'

/** An address that was here when an edge accepted the mail, or that leads round in circles. */
export function failedAddress(job: Job, { address, because }: DeadEnd): Failed {
  switch (because) {
    case 'unknown':
      return failure(job, address, '5.1.1', 'No such address here', 'no such address')
    case 'loop':
      return failure(job, address, '5.4.6', 'The address leads round in circles', 'mail loop')
  }
}

/** A maildrop without room. */
export function overQuota(job: Job, address: string): Failed {
  return failure(job, address, '5.2.2', 'The mailbox is full', 'mailbox full')
}

export function failure(
  job: Job,
  address: string,
  status: string,
  diagnostic: string,
  reason: string,
  stage = 'maildrop',
): Failed {
  const outcome = job.session.account === undefined ? 'dropped' : 'bounced'
  return { address, status, diagnostic, entry: traceEntry(job, address, stage, outcome, `${status} ${reason}`) }
}
