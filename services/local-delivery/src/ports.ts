// What local delivery needs from outside.
import type { Job } from '@sekimori/mail/job'
import type { Directory, ListFound, Member } from '@sekimori/store/directory'
import type { DeliverCopy, MaildropCopy } from '@sekimori/store/maildrop-delivery'
import type { TraceEntry } from '@sekimori/store/trace'

export interface Ports {
  lookup: Directory['lookup']
  /** The next members of a list by account id, some hundred at a time; none when there are no more. */
  members(listAddress: string, afterId: number): Promise<Member[]>
  outsideMembers(listAddress: string): Promise<string[]>
  mayPost(list: ListFound, sender: string): Promise<boolean>
  /** An owner of the list who has an account here. */
  localOwner(listAddress: string): Promise<string | undefined>
  /** Those of the accounts whose maildrop has no room for so many octets. */
  full(members: Member[], sizeBytes: number): Promise<ReadonlySet<number>>
  /** How this mail has ended so far for maildrops, by address. */
  maildropEnds(queueId: string): Promise<ReadonlyMap<string, string>>
  /** The job as this member gets it: with the verdict on its sender. */
  judged(job: Job, member: Member): Promise<Job>
  deliver: DeliverCopy
  /** Delivers the virus warning of a mail, unless warnings are suspended by now (S1-26). */
  deliverWarning(queueId: string, copy: MaildropCopy): Promise<void>
  /** Writes ends that are not copies (a list that was expanded, a recipient who left). */
  trace(entries: TraceEntry[]): Promise<void>
  /** Lets the hold of this leg on stored content go. */
  release(contentId: string, holder: string): Promise<void>
  /** Hands the hold on stored content over; false when the content is gone. */
  passContent(contentId: string, from: string, to: string[]): Promise<boolean>
  /** Whether each recipient of the job has a recorded end. */
  haveAllEnded(job: Job): Promise<boolean>
  /** The header section of the mail. */
  head(job: Job): Promise<Buffer>
  /** All of the mail, chunk by chunk. */
  content(job: Job): AsyncIterable<Buffer>
  /** The reverse-path at a domain of ours for mail from outside that is handed on; undefined when there can't be one. */
  rewriteSender(mailFrom: string, domain: string): Promise<string | undefined>
  /** The address that a rewritten one of ours stands for; undefined when it is none, forged or expired. */
  reverseSender(address: string): Promise<string | undefined>
}
