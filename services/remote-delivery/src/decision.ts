// What follows from an attempt for each recipient: an end, or the time of the next attempt.
import type { Job, Recipient } from '@sekimori/mail/job'
import { type Deferral, REMOTE_STAGE } from '@sekimori/store/deferred'
import { type TraceEntry, traceEntry } from '@sekimori/store/trace'
import { type Undelivered, wantsNotice } from './notice.ts'
import {
  describeFailure,
  describeSent,
  type Failure,
  type Outcome,
  oneLine,
  rejected,
  remoteReply,
  type Sent,
} from './outcome.ts'
import { retryDelayMs, type Schedule } from './schedule.ts'

/** What earlier attempts have left behind. */
export interface Standing {
  /** Attempts made so far, by recipient. */
  attempts: ReadonlyMap<string, number>
  expiresAt: Date
  /** Recipients whose sender has been told of the delay. */
  notified: ReadonlySet<string>
  /** Recipients that an operator has given up: with a notice to the sender, or without. */
  orders?: ReadonlyMap<string, 'return' | 'drop'>
}

export interface Decision {
  sent: TraceEntry[]
  deferred: Deferral[]
  /** Ends that the sender is to be told of. */
  failed: (Undelivered & { end: TraceEntry })[]
  /** Deferred ones whose delay the sender is to be told of. */
  delayed: Undelivered[]
  /** Sent ones of whom the sender wants to hear, though the next server will tell nothing (RFC 3461 section 5.2.2). */
  relayed: Undelivered[]
  /** Ends that nobody is told of. */
  dropped: TraceEntry[]
}

export function noDecision(): Decision {
  return { sent: [], deferred: [], failed: [], delayed: [], relayed: [], dropped: [] }
}

/** What several destinations came to. */
export function together(decisions: Decision[]): Decision {
  return {
    sent: decisions.flatMap(({ sent }) => sent),
    deferred: decisions.flatMap(({ deferred }) => deferred),
    failed: decisions.flatMap(({ failed }) => failed),
    delayed: decisions.flatMap(({ delayed }) => delayed),
    relayed: decisions.flatMap(({ relayed }) => relayed),
    dropped: decisions.flatMap(({ dropped }) => dropped),
  }
}

/** The end of the recipients that an operator has given up. */
export function cancel(job: Job, recipients: Recipient[], { orders = new Map() }: Standing): Decision {
  const decision = noDecision()
  for (const recipient of recipients) {
    const order = orders.get(recipient.address)
    if (order === undefined) continue
    const failure = rejected('5.3.0', 'The operator of this system has given up the delivery')
    const end = traceEntry(job, recipient.address, REMOTE_STAGE, 'cancelled', describeFailure(failure))
    if (order === 'drop') decision.dropped.push(end)
    else decision.failed.push({ recipient, failure, end })
  }
  return decision
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
  const decision = noDecision()
  for (const recipient of recipients) {
    const outcome = outcomes.get(recipient.address)!
    const end = (word: string, detail: string) =>
      traceEntry(job, recipient.address, REMOTE_STAGE, word, detail, remoteReply(outcome))
    switch (outcome.kind) {
      case 'sent':
        decision.sent.push(end('sent', describeSent(outcome)))
        if (isToldByUs(job, recipient, outcome)) decision.relayed.push({ recipient, failure: asRelayed(outcome) })
        break
      case 'rejected':
        decision.failed.push({ recipient, failure: outcome, end: end('bounced', describeFailure(outcome)) })
        break
      case 'deferred':
        if (now >= standing.expiresAt.getTime()) {
          const failure: Failure = { ...outcome, kind: 'rejected', status: '4.4.7' }
          const detail = `4.4.7 given up; last: ${describeFailure(outcome)}`
          decision.failed.push({ recipient, failure, end: end('deferred-expired', detail) })
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
    remote: remoteReply(failure),
    nextAttemptAt: new Date(Math.min(...times)),
  }
}

function isDelayed(job: Job, recipient: Recipient, standing: Standing, schedule: Schedule, now: number): boolean {
  return now >= job.acceptedAt + schedule.delayNoticeAfterMs && isToBeTold(job, recipient, standing)
}

function isToBeTold(job: Job, recipient: Recipient, { notified }: Standing): boolean {
  return !notified.has(recipient.address) && wantsNotice(job, recipient, 'DELAY')
}

function isToldByUs(job: Job, recipient: Recipient, { isDsnPassedOn }: Sent): boolean {
  return isDsnPassedOn !== true && recipient.notify !== undefined && wantsNotice(job, recipient, 'SUCCESS')
}

function asRelayed({ reply, remoteMta }: Sent): Undelivered['failure'] {
  return { status: '2.0.0', diagnostic: oneLine(reply), remoteMta }
}
