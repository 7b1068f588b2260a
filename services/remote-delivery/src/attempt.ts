// One attempt at the open recipients of a mail, first or repeated: all destinations side by side, and for each of them
// an order of steps that survives a crash at any point:
//   1. the dialogue; 2. what was sent or put off is written, at once, in one transaction; 3. notices of failure are
//   published and confirmed; 4. the failures are written as ends; 5. notices of delay are published, then noted.
// A crash before 2 leaves the one window that SMTP has itself (the server's 250 was not written). A crash before 4 means
// that a refused recipient is tried once more and a notice may be published twice, under the same derived queue id;
// nobody who was sent the mail is sent it again, and no notice is lost.
import type { Job, Recipient } from '@sekimori/mail/job'
import type { Publication } from '@sekimori/queue/queues'
import type { AttemptResult } from '@sekimori/store/deferred'
import { type Decision, decide, type Standing } from './decision.ts'
import type { Destination } from './destination.ts'
import { notices } from './notice.ts'
import type { OutboundMail } from './outbound-mail.ts'
import { type Outcome, rejected } from './outcome.ts'
import type { Schedule } from './schedule.ts'

/** answered: what became of each recipient. busy: nothing was tried, the destination has all the dialogues it may have. */
export type Delivery = { kind: 'answered'; outcomes: Map<string, Outcome> } | { kind: 'busy' }

export interface AttemptPorts {
  schedule: Schedule
  prepare(job: Job): Promise<OutboundMail>
  destinations(recipients: Recipient[]): Destination[]
  deliver(mail: OutboundMail, destination: Destination, signal: AbortSignal): Promise<Delivery>
  /** Writes a result; goes on trying while the database is away, since only this process knows it. */
  record(job: Job, result: AttemptResult, expiresAt: Date): Promise<void>
  /** Publishes and waits for the confirm. */
  publish(publication: Publication): Promise<void>
  markDelayNotified(queueId: string, recipients: string[]): Promise<void>
}

/** A mail that passed this many servers goes round in circles (RFC 5321 section 6.3). */
const HOPS_MOST = 50
/** How soon a destination that had no free dialogue is tried again. */
const BUSY_DELAY_MS = 10_000

/** Resolves when every recipient has ended or waits in the schedule. Rejects when one could not be decided. */
export async function attempt(
  job: Job,
  recipients: Recipient[],
  standing: Standing,
  ports: AttemptPorts,
  signal: AbortSignal,
): Promise<void> {
  const mail = await ports.prepare(job)
  const results = await Promise.allSettled(
    ports.destinations(recipients).map((destination) => attemptOne(job, mail, destination, standing, ports, signal)),
  )
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

async function attemptOne(
  job: Job,
  mail: OutboundMail,
  destination: Destination,
  standing: Standing,
  ports: AttemptPorts,
  signal: AbortSignal,
): Promise<void> {
  const delivery = mail.hops > HOPS_MOST ? looping(destination) : await ports.deliver(mail, destination, signal)
  if (delivery.kind === 'busy') return await ports.record(job, postponed(destination, standing), standing.expiresAt)
  const decision = decide(job, destination.recipients, delivery.outcomes, standing, ports.schedule)
  await settle(job, mail, decision, standing.expiresAt, ports)
}

async function settle(
  job: Job,
  mail: OutboundMail,
  { sent, deferred, failed, delayed }: Decision,
  expiresAt: Date,
  ports: AttemptPorts,
): Promise<void> {
  if (sent.length + deferred.length > 0) await ports.record(job, { ended: sent, deferred }, expiresAt)
  if (failed.length > 0) {
    await Promise.all(notices(job, 'failed', failed, mail.head).map((notice) => ports.publish(notice)))
    await ports.record(job, { ended: failed.map(({ end }) => end), deferred: [] }, expiresAt)
  }
  if (delayed.length > 0) {
    await Promise.all(notices(job, 'delayed', delayed, mail.head).map((notice) => ports.publish(notice)))
    await ports.markDelayNotified(
      job.queueId,
      delayed.map(({ recipient }) => recipient.address),
    )
  }
}

function looping({ recipients }: Destination): Delivery {
  const failure = rejected('5.4.6', `The mail has passed more than ${HOPS_MOST} servers: it goes round in circles`)
  return { kind: 'answered', outcomes: new Map(recipients.map(({ address }) => [address, failure])) }
}

/** Not an attempt: the count stays. */
function postponed({ name, recipients }: Destination, { attempts }: Standing): AttemptResult {
  const deferred = recipients.map(({ address }) => ({
    recipient: address,
    attempts: attempts.get(address) ?? 0,
    lastReply: `4.4.5 All dialogues with ${name} are taken`,
    nextAttemptAt: new Date(Date.now() + BUSY_DELAY_MS * (0.5 + Math.random())),
  }))
  return { ended: [], deferred }
}
