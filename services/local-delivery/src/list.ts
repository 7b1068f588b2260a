// Distributing a mail to the members of a list: batch by batch, each in a transaction of its own, so that ten thousand
// members hold nothing up and a process that dies goes on where it was.
import { normalizeAddress } from '@sekimori/mail/address'
import type { Job } from '@sekimori/mail/job'
import type { ListFound } from '@sekimori/store/directory'
import { refusalText } from '@sekimori/store/list-expansion'
import { traceEntry } from '@sekimori/store/trace'
import type { Failed } from './bounce.ts'
import { copyFor, type Original, originalOf } from './copies.ts'
import { failure, overQuota } from './failure.ts'
import type { OutsideCopy } from './forward.ts'
import { asListMail, comesFromList } from './list-mail.ts'
import { type Plan, sortEnds } from './plan.ts'
import type { Ports } from './ports.ts'

export interface Posted {
  failed: Failed[]
  outside: OutsideCopy[]
}

/** Brings the mail to the members who have not got it otherwise. */
export async function distribute(job: Job, list: ListFound, plan: Plan, ports: Ports): Promise<Posted> {
  const original = await originalOf(job, ports)
  const { head } = original
  const refused = await refusal(job, head, list, ports)
  if (refused !== undefined) return { failed: [refused], outside: [] }
  const account = await ports.localOwner(list.address)
  const distribution = new Distribution(asListMail(job, list, head), original, list, account, plan, ports)
  const members = await distribution.run()
  plan.entries.push(traceEntry(job, list.address, 'list', 'expanded', `${members} members`))
  return distribution.posted
}

async function refusal(job: Job, head: Buffer, list: ListFound, ports: Ports): Promise<Failed | undefined> {
  const refuse = (status: string, text: string) => failure(job, list.address, status, text, text, 'list')
  if (comesFromList(head, list)) return refuse('5.4.6', 'The mail has been sent to this list before')
  const { account } = job.session
  const sender = account ?? normalizeAddress(job.envelope.mailFrom)
  if (list.posting !== undefined && (await isForged(job, sender, ports)))
    return refuse('5.7.1', 'The sender of the mail is forged')
  return (await ports.mayPost(list, sender)) ? undefined : refuse('5.7.1', refusalText(list))
}

/** Whether a sender who has not logged in uses an address of ours, or one that our own verification found forged. */
async function isForged({ session, added }: Job, sender: string, ports: Ports): Promise<boolean> {
  if (session.account !== undefined) return false
  const results = added.find((line) => /^Authentication-Results:/i.test(line)) ?? ''
  if (/[;\s](?:spf|dmarc)=fail\b/.test(results) && !/[;\s]dmarc=pass\b/.test(results)) return true
  return (await ports.lookup(sender)).kind !== 'foreign'
}

class Distribution {
  readonly posted: Posted = { failed: [], outside: [] }
  #job: Job
  #original: Original
  #list: ListFound
  #account: string | undefined
  #plan: Plan
  #ports: Ports

  constructor(job: Job, original: Original, list: ListFound, account: string | undefined, plan: Plan, ports: Ports) {
    this.#job = job
    this.#original = original
    this.#list = list
    this.#account = account
    this.#plan = plan
    this.#ports = ports
  }

  /** Resolves to how many members the list has. */
  async run(): Promise<number> {
    const { resolution } = this.#plan
    const { address } = this.#list
    let count = 0
    for (let afterId = 0; ; ) {
      const members = await this.#ports.members(address, afterId)
      if (members.length === 0) break
      for (const member of members) await resolution.addMember(member, address)
      await this.#deliver()
      count += members.length
      afterId = members.at(-1)!.accountId
    }
    const outside = await this.#ports.outsideMembers(address)
    for (const member of outside) resolution.addOutsideMember(member, address)
    await this.#deliver()
    return count + outside.length
  }

  async #deliver(): Promise<void> {
    const job = this.#job
    const { maildrops, outside, lists, entries } = sortEnds(job, this.#plan.resolution.take())
    const copies = await Promise.all(
      maildrops.map(async ({ member, via }) => {
        const judged = await this.#ports.judged(job, member)
        return {
          member,
          copy: copyFor(judged, member, this.#original, via === this.#list.address ? `list ${via}` : via),
        }
      }),
    )
    const full = await this.#ports.full(
      maildrops.map(({ member }) => member),
      Math.max(0, ...copies.map(({ copy }) => copy.sizeBytes)),
    )
    const hasRoom = copies.filter(({ member }) => !full.has(member.accountId))
    await Promise.all(hasRoom.map(({ copy }) => this.#ports.deliver(copy)))
    // Who wrote to the list must not learn its members: a full maildrop is in the trace, and nobody is told.
    for (const { member } of copies.filter((copy) => !hasRoom.includes(copy)))
      this.#plan.entries.push({ ...overQuota(job, member.address).entry, outcome: 'dropped', via: this.#list.address })
    this.#plan.lists.push(...lists)
    for (const end of outside) this.posted.outside.push(this.#outsideCopy(end))
    this.#plan.entries.push(...entries)
  }

  /** What fails on its way to an outside member is told to the list's owner, not to who wrote to the list. */
  #outsideCopy(end: Omit<OutsideCopy, 'job' | 'isList'>): OutsideCopy {
    const account = end.account ?? this.#account
    const { address, by } = end
    return { address, by, job: this.#job, isList: true, ...(account === undefined ? {} : { account }) }
  }
}
