// One attempt at the open recipients of a mail, first or repeated: all destinations side by side, and for each of them
// an order of steps that survives a crash at any point:
//   1. the dialogue; 2. what was sent or put off is written, at once, in one transaction, with the notices of what was
//   relayed, which the notifier takes from there; 3. notices of failure are
//   published and confirmed; 4. the failures are written as ends; 5. notices of delay are published, then noted.
// A crash before 2 leaves the one window that SMTP has itself (the server's 250 was not written). A crash before 4 means
// that a refused recipient is tried once more and a notice may be published twice, under the same derived queue id;
// nobody who was sent the mail is sent it again, and no notice is lost.
import type { Job, Recipient } from '@sekimori/mail/job'
import type { Notice } from '@sekimori/mail/notice'
import type { Publication } from '@sekimori/queue/queues'
import type { AttemptResult } from '@sekimori/store/deferred'
import { cancel, type Decision, decide, noDecision, type Standing, together } from './decision.ts'
import type { Destination } from './destination.ts'
import { notices } from './notice.ts'
import type { OutboundMail } from './outbound-mail.ts'
import { type Failure, type Outcome, rejected } from './outcome.ts'
import { inRounds } from './rounds.ts'
import type { Schedule } from './schedule.ts'

/** answered: what became of each recipient. busy: nothing was tried, the destination has all the dialogues it may have. */
export type Delivery = { kind: 'answered'; outcomes: Map<string, Outcome> } | { kind: 'busy' }

export interface AttemptPorts {
  schedule: Schedule
  prepare(job: Job): Promise<OutboundMail>
  destinations(recipients: Recipient[]): Destination[] | Promise<Destination[]>
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
/** How long a failure at one destination waits for the others, so that the sender is told of all in one notice. */
const TOGETHER_MS = 5_000

/** Resolves when every recipient has ended or waits in the schedule. Rejects when one could not be decided. */
export async function attempt(
  job: Job,
  recipients: Recipient[],
  standing: Standing,
  ports: AttemptPorts,
  signal: AbortSignal,
): Promise<void> {
  const mail = await ports.prepare(job)
  const open = recipients.filter(({ address }) => !standing.orders?.has(address))
  const destinations = open.length === 0 ? [] : await ports.destinations(open)
  const works = destinations.map((destination) => attemptOne(job, mail, destination, standing, ports, signal))
  if (open.length < recipients.length) works.push(Promise.resolve(cancel(job, recipients, standing)))
  await inRounds(works, TOGETHER_MS, (decisions) => tell(job, mail, together(decisions), standing.expiresAt, ports))
}

/** Tries one destination, and writes at once whom the mail was sent to and who waits. */
async function attemptOne(
  job: Job,
  mail: OutboundMail,
  destination: Destination,
  standing: Standing,
  ports: AttemptPorts,
  signal: AbortSignal,
): Promise<Decision> {
  const { pause, name, recipients } = destination
  const postpone = async (reason: string) => {
    await ports.record(job, postponed(recipients, standing, reason), standing.expiresAt)
    return noDecision()
  }
  if (pause !== undefined) return postpone(`4.3.2 Mail to ${name} is held back by the operator: ${pause}`)
  const delivery = await deliverUnlessLooping(job, mail, destination, ports, signal)
  if (delivery.kind === 'busy') return postpone(`4.4.5 All dialogues with ${name} are taken`)
  const decision = decide(job, recipients, delivery.outcomes, standing, ports.schedule)
  const { sent, deferred, relayed } = decision
  if (sent.length + deferred.length > 0) {
    const told = (await notices(job, 'relayed', relayed, mail)).map(({ message }) => message as unknown as Notice)
    await ports.record(job, { ended: sent, deferred, notices: told }, standing.expiresAt)
  }
  return decision
}

/** Tells the sender; a failure becomes an end when that is confirmed. */
async function tell(
  job: Job,
  mail: OutboundMail,
  { failed, delayed, dropped }: Decision,
  expiresAt: Date,
  ports: AttemptPorts,
): Promise<void> {
  if (failed.length + dropped.length > 0) {
    await publishAll(await notices(job, 'failed', failed, mail), ports)
    await ports.record(job, { ended: [...failed.map(({ end }) => end), ...dropped], deferred: [] }, expiresAt)
  }
  if (delayed.length > 0) {
    await publishAll(await notices(job, 'delayed', delayed, mail), ports)
    await ports.markDelayNotified(
      job.queueId,
      delayed.map(({ recipient }) => recipient.address),
    )
  }
}

async function publishAll(publications: Publication[], ports: AttemptPorts): Promise<void> {
  await Promise.all(publications.map((notice) => ports.publish(notice)))
}

async function deliverUnlessLooping(
  job: Job,
  mail: OutboundMail,
  destination: Destination,
  ports: AttemptPorts,
  signal: AbortSignal,
): Promise<Delivery> {
  const looping = new Map<string, Outcome>()
  for (const { address } of destination.recipients) {
    const fault = loopFault(job, mail, address)
    if (fault !== undefined) looping.set(address, fault)
  }
  const recipients = destination.recipients.filter(({ address }) => !looping.has(address))
  if (recipients.length === 0) return { kind: 'answered', outcomes: looping }
  const delivery = await ports.deliver(mail, { ...destination, recipients }, signal)
  if (delivery.kind === 'busy') return looping.size === 0 ? delivery : { kind: 'busy' }
  return { kind: 'answered', outcomes: new Map([...looping, ...delivery.outcomes]) }
}

/** What we forward has been delivered before; what an account sends may quote such a field, and goes out. */
function loopFault(job: Job, { hops, deliveredTo }: OutboundMail, address: string): Failure | undefined {
  if (hops > HOPS_MOST)
    return rejected('5.4.6', `The mail has passed more than ${HOPS_MOST} servers: it goes round in circles`)
  if (job.session.account === undefined && deliveredTo.has(address.toLowerCase()))
    return rejected('5.4.6', `The mail goes round in circles: it was delivered to ${address} before`)
  return undefined
}

/** Not an attempt: the count stays. */
function postponed(recipients: Recipient[], { attempts }: Standing, lastReply: string): AttemptResult {
  const deferred = recipients.map(({ address }) => ({
    recipient: address,
    attempts: attempts.get(address) ?? 0,
    lastReply,
    nextAttemptAt: new Date(Date.now() + BUSY_DELAY_MS * (0.5 + Math.random())),
  }))
  return { ended: [], deferred }
}
