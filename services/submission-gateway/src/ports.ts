// What the decisions of this edge need from outside.

import type { Admission } from '@sekimori/login/admission'
import type { Login } from '@sekimori/login/login'
import type { TokenLogin } from '@sekimori/login/token-login'
import type { Job } from '@sekimori/mail/job'
import type { Directory, ListFound } from '@sekimori/store/directory'
import type { SendingLimits } from '@sekimori/store/sending-limit'
import type { SendingState } from '@sekimori/store/sending-stop'
import type { UsageCounter } from '@sekimori/store/usage-counter'

export interface Ports {
  admission: Pick<Admission, 'admit' | 'leave' | 'isFlood'>
  /** What the account may send. */
  sendingLimits(address: string): Promise<SendingLimits>
  usage: Pick<UsageCounter, 'used' | 'spend' | 'note'>
  login: Login
  /** Does what a mail waits for, ahead of the checks of guesses. */
  mailFirst<T>(work: () => Promise<T>): Promise<T>
  /** Undefined while no issuer of tokens is set. */
  tokens: TokenLogin | undefined
  directory: Directory
  mayPost(list: ListFound, sender: string): Promise<boolean>
  /** Whether the account of a session may send now. */
  sendingState(address: string): Promise<SendingState>
  /** Stores large content under this queue id; resolves to its size when committed. */
  store(queueId: string, input: AsyncIterable<Buffer>): Promise<number>
  /** Hands the job to the first stage; resolves when the broker has it safe. */
  publish(job: Job): Promise<void>
}
