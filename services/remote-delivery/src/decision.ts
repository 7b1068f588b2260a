// What follows from an attempt for each recipient: an end, or the time of the next attempt.
import type { Job, Recipient } from '@sekimori/mail/job'
import { type Deferral, REMOTE_STAGE } from '@sekimori/store/deferred'
import { type TraceEntry, traceEntry } from '@sekimori/store/trace'
import { type Undelivered, wantsNotice } from './notice.ts'
import { describeFailure, describeSent, type Failure, type Outcome } from './outcome.ts'
import { retryDelayMs, type Schedule } from './schedule.ts'

/** What earlier attempts have left behind. */
export interface Standing {
  /** Attempts made so far, by recipient. */
  attempts: ReadonlyMap<string, number>
  expiresAt: Date
  /** Recipients whose sender has been told of the delay. */
  notified: ReadonlySet<string>
}

export interface Decision {
  sent: TraceEntry[]
  deferred: Deferral[]
  /** Ends that the sender is to be told of. */
  failed: (Undelivered & { end: TraceEntry })[]
  /** Deferred ones whose delay the sender is to be told of. */
  delayed: Undelivered[]
}

/** The standing of a mail before its first attempt. */
export function firstStanding(schedule: Schedule, now: number): Standing {
  return { attempts: new Map(), expiresAt: new Date(now + schedule.lifetimeMs), notified: new Set() }
}

/** Decides from the outcomes of one attempt. */
export function decide(
  job: Job,
  recipients: Recipient[],
  outcomes: ReadonlyMap<string, Outcome>,
  standing: Standing,
  schedule: Schedule,
  now = Date.now(),
): Decision {
  const decision: Decision = { sent: [], deferred: [], failed: [], delayed: [] }
  const end = (recipient: Recipient, outcome: string, detail: string) =>
    traceEntry(job, recipient.address, REMOTE_STAGE, outcome, detail)
  for (const recipient of recipients) {
    const outcome = outcomes.get(recipient.address)!
    switch (outcome.kind) {
      case 'sent':
        decision.sent.push(end(recipient, 'sent', describeSent(outcome)))
        break
      case 'rejected':
        decision.failed.push({ recipient, failure: outcome, end: end(recipient, 'bounced', describeFailure(outcome)) })
        break
      case 'deferred':
        if (now >= standing.expiresAt.getTime()) {
          const failure: Failure = { ...outcome, kind: 'rejected', status: '4.4.7' }
          const detail = `4.4.7 given up; last: ${describeFailure(outcome)}`
          decision.failed.push({ recipient, failure, end: end(recipient, 'deferred-expired', detail) })
        } else {
          decision.deferred.push(deferral(job, recipient, outcome, standing, schedule, now))
          if (isDelayed(job, recipient, standing, schedule, now)) decision.delayed.push({ recipient, failure: outcome })
        }
        break
    }
  }
  return decision
}

/** The next attempt: by the schedule, but one is made when a delay is to be told and one at the very end. */
function deferral(
  job: Job,
  recipient: Recipient,
  failure: Failure,
  standing: Standing,
  schedule: Schedule,
  now: number,
): Deferral {
  const attempts = (standing.attempts.get(recipient.address) ?? 0) + 1
  const times = [now + retryDelayMs(schedule, attempts), standing.expiresAt.getTime()]
  const noticeAt = job.acceptedAt + schedule.delayNoticeAfterMs
  if (noticeAt > now && isToBeTold(job, recipient, standing)) times.push(noticeAt)
  return {
    recipient: recipient.address,
    attempts,
    lastReply: describeFailure(failure),
    nextAttemptAt: new Date(Math.min(...times)),
  }
}

function isDelayed(job: Job, recipient: Recipient, standing: Standing, schedule: Schedule, now: number): boolean {
  return now >= job.acceptedAt + schedule.delayNoticeAfterMs && isToBeTold(job, recipient, standing)
}

function isToBeTold(job: Job, recipient: Recipient, { notified }: Standing): boolean {
  return !notified.has(recipient.address) && wantsNotice(job, recipient, 'DELAY')
}
