// Puts a mail into the maildrops of its recipients: exactly one copy each, also for members of a list who are named twice.
import { contentHolder } from '@sekimori/mail/content'
import type { Job, Recipient } from '@sekimori/mail/job'
import { notify, type Publication, publication } from '@sekimori/queue/queues'
import { ContentGone } from '@sekimori/store/content'
import type { Directory, Member } from '@sekimori/store/directory'
import type { DeliverCopy, MaildropCopy } from '@sekimori/store/maildrop-delivery'
import { type TraceEntry, traceEntry } from '@sekimori/store/trace'
import { copyFor } from './copies.ts'

export interface Ports {
  lookup: Directory['lookup']
  members(listAddress: string): Promise<Member[]>
  deliver: DeliverCopy
  /** Delivers the virus warning of a mail, unless warnings are suspended by now (S1-26). */
  deliverWarning(queueId: string, copy: MaildropCopy): Promise<void>
  /** Writes ends that are not copies (a list that was expanded, a recipient who left). */
  trace(entries: TraceEntry[]): Promise<void>
  /** Lets the hold of this leg on stored content go. */
  release(contentId: string, holder: string): Promise<void>
  /** The header section of the mail. */
  head(job: Job): Promise<Buffer>
}

interface Plan {
  members: Map<number, { member: Member; via?: string }>
  ends: TraceEntry[]
  unknown: Recipient[]
}

export async function handleDelivery(job: Job, ports: Ports): Promise<Publication[]> {
  const plan = await planDelivery(job, ports)
  const { warning } = job
  const deliver =
    warning === undefined ? ports.deliver : (copy: MaildropCopy) => ports.deliverWarning(warning.queueId, copy)
  await Promise.all([...plan.members.values()].map(({ member, via }) => deliver(copyFor(job, member, via))))
  if (plan.ends.length > 0) await ports.trace(plan.ends)
  const notices = await bounces(job, plan.unknown, ports)
  if (job.content.kind === 'stored') await ports.release(job.content.id, contentHolder(job.queueId, job.direction))
  return notices
}

async function planDelivery(job: Job, ports: Ports): Promise<Plan> {
  const plan: Plan = { members: new Map(), ends: [], unknown: [] }
  for (const recipient of job.envelope.recipients) {
    const { address } = recipient
    const found = await ports.lookup(address)
    switch (found.kind) {
      case 'account':
        plan.members.set(found.accountId, { member: found })
        break
      case 'list': {
        const members = await ports.members(found.address)
        for (const member of members)
          if (!plan.members.has(member.accountId)) plan.members.set(member.accountId, { member, via: found.address })
        plan.ends.push(traceEntry(job, found.address, 'list', 'expanded', `${members.length} members`))
        break
      }
      case 'unknown':
      case 'foreign':
        // It existed when an edge accepted the mail and was deleted since.
        plan.unknown.push(recipient)
        plan.ends.push(
          traceEntry(
            job,
            address,
            'maildrop',
            job.session.account === undefined ? 'dropped' : 'bounced',
            '5.1.1 no such address',
          ),
        )
        break
    }
  }
  return plan
}

/** Only an authenticated sender is told; a bounce to a stranger would hit whoever was forged. */
async function bounces(job: Job, unknown: Recipient[], ports: Ports): Promise<Publication[]> {
  const wished = unknown.filter(({ notify: wishes }) => wishes === undefined || wishes.includes('FAILURE'))
  if (wished.length === 0 || job.session.account === undefined || job.envelope.mailFrom === '') return []
  const { content: _, ...header } = job
  const recipients = wished.map(({ address, orcpt }) => ({
    address,
    ...(orcpt === undefined ? {} : { orcpt }),
    status: '5.1.1',
    diagnostic: 'No such address here',
  }))
  return [
    publication(notify, {
      kind: 'undelivered',
      action: 'failed',
      recipients,
      job: header,
      content: { kind: 'inline', bytes: await headIfThere(job, ports) },
    }),
  ]
}

/** The content may be gone when this is an attempt after one that let it go and then could not publish. */
async function headIfThere(job: Job, ports: Ports): Promise<Buffer> {
  try {
    return await ports.head(job)
  } catch (error) {
    if (error instanceof ContentGone) return Buffer.alloc(0)
    throw error
  }
}
