// What the decisions of this edge need from outside.
import type { Admission } from '@sekimori/login/admission'
import type { Job } from '@sekimori/mail/job'
import type { Reversal } from '@sekimori/mail/srs'
import type { Directory, ListFound, Member } from '@sekimori/store/directory'
import type { EnforcementPorts } from './enforcement.ts'
import type { ScreeningPorts } from './screening.ts'

/** What decides about a recipient. */
export interface RecipientPorts {
  directory: Directory
  mayPost(list: ListFound, sender: string): Promise<boolean>
  /** Those of the accounts whose maildrop has no room for so many octets. */
  full(members: Member[], sizeBytes: number): Promise<ReadonlySet<number>>
  reverseSender(address: string): Promise<Reversal>
}

export interface Ports extends RecipientPorts, EnforcementPorts, ScreeningPorts {
  admission: Pick<Admission, 'admit' | 'leave'>
  /** Stores large content under this queue id; resolves to its size when committed. */
  store(queueId: string, input: AsyncIterable<Buffer>): Promise<number>
  /** Hands the job to the first stage; resolves when the broker has it safe. */
  publish(job: Job): Promise<void>
}
