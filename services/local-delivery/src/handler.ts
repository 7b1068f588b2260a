// The last stage of inbound mail: aliases, forwarding and lists followed, one copy into each maildrop, and a mail of its
// own for whoever is reached outside. However often its job comes, each end is reached once.
import { contentHolder } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import type { Publication } from '@sekimori/queue/queues'
import { ContentGone } from '@sekimori/store/content'
import type { Member } from '@sekimori/store/directory'
import type { MaildropCopy } from '@sekimori/store/maildrop-delivery'
import { bounces, type Failed } from './bounce.ts'
import { confirmations } from './confirmation.ts'
import { copyFor, originalOf } from './copies.ts'
import { failedAddress, overQuota } from './failure.ts'
import { forwardPublications, type OutsideCopy } from './forward.ts'
import { distribute } from './list.ts'
import { type MaildropEnd, planDelivery } from './plan.ts'
import type { Ports } from './ports.ts'

export async function handleDelivery(job: Job, ports: Ports): Promise<Publication[]> {
  const plan = await planDelivery(job, ports)
  const failed: Failed[] = plan.dead.map((end) => failedAddress(job, end))
  failed.push(...(await deliverCopies(job, plan.maildrops, ports)))
  const outside: OutsideCopy[] = plan.outside.map((end) => ({ ...end, job }))
  for (const { list } of plan.lists) {
    const posted = await distribute(job, list, plan, ports)
    failed.push(...posted.failed)
    outside.push(...posted.outside)
  }
  const ends = [...plan.entries, ...failed.map(({ entry }) => entry)]
  if (ends.length > 0) await ports.trace(ends)
  const notices = [...(await bounces(job, failed, ports)), ...(await confirmations(job, failed, ports))]
  return [...notices, ...(await handOn(job, outside, ports))]
}

/** Resolves to the accounts that got none. */
async function deliverCopies(job: Job, maildrops: MaildropEnd[], ports: Ports): Promise<Failed[]> {
  if (maildrops.length === 0) return []
  const { warning } = job
  const deliver =
    warning === undefined ? ports.deliver : (copy: MaildropCopy) => ports.deliverWarning(warning.queueId, copy)
  const original = await originalOf(job, ports)
  const copies = await Promise.all(
    maildrops.map(async ({ member, via }) => {
      return { member, copy: copyFor(await ports.judged(job, member), member, original, via) }
    }),
  )
  const full = await withoutRoom(job, copies, ports)
  await Promise.all(copies.filter(({ member }) => !full.has(member.address)).map(({ copy }) => deliver(copy)))
  return [...full].map((address) => overQuota(job, address))
}

/**
 * Accounts whose maildrop is full, for mail of authenticated senders, who are told. Mail that an edge accepted from
 * outside gets in all the same, and what was decided in an earlier attempt stays.
 */
async function withoutRoom(
  job: Job,
  copies: { member: Member; copy: MaildropCopy }[],
  ports: Ports,
): Promise<Set<string>> {
  const limited = copies.filter(({ member }) => member.quotaBytes !== undefined)
  if (limited.length === 0 || job.session.account === undefined) return new Set()
  const before = await ports.maildropEnds(job.queueId)
  const members = limited.map(({ member }) => member)
  const full = await ports.full(members, Math.max(...limited.map(({ copy }) => copy.sizeBytes)))
  const isRefused = ({ accountId, address }: Member) =>
    before.has(address) ? before.get(address) !== 'delivered' : full.has(accountId)
  return new Set(members.filter(isRefused).map(({ address }) => address))
}

/** Gives the hold on stored content to the mails that go on, or up. */
async function handOn(job: Job, outside: OutsideCopy[], ports: Ports): Promise<Publication[]> {
  const forwards = await forwardPublications(job, outside, ports)
  const { content } = job
  if (content.kind === 'inline') return forwards.map(({ publication }) => publication)
  const holder = contentHolder(job.queueId, job.direction)
  if (forwards.length === 0) {
    await ports.release(content.id, holder)
    return []
  }
  const holders = forwards.map(({ queueId }) => contentHolder(queueId, 'outbound'))
  const publications = forwards.map(({ publication }) => publication)
  if (await ports.passContent(content.id, holder, holders)) return publications
  // All that was handed on has ended before this job came again; if not, it is lost, and operators must see that.
  for (const { message } of publications)
    if (!(await ports.haveAllEnded(message as Job))) throw new ContentGone(`content ${content.id} is gone`)
  return []
}
