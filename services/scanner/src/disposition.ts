// Who gets a mail that could not be looked into: each recipient's domain decides for inbound mail, the account's for
// mail that is sent. What an operator has released, and what we write ourselves, is delivered.
import { domainOf } from '@sekimori/mail/address'
import type { JobHeader, Recipient } from '@sekimori/mail/job'
import type { UnscannableAction, UnscannableReason } from '@sekimori/mail/unscannable'
import type { UnscannableRule, VirusPolicy } from '@sekimori/store/virus-policy'

export interface PolicyPorts {
  /** What the domain wants; the default for a domain that is not here. */
  policy(domain: string): Promise<VirusPolicy>
}

/** The recipients by what is done, in the order of the envelope. */
export type Disposition = Record<UnscannableAction, Recipient[]>

export async function disposeOf(job: JobHeader, reason: UnscannableReason, ports: PolicyPorts): Promise<Disposition> {
  const disposition: Disposition = { deliver: [], hold: [], refuse: [] }
  for (const recipient of job.envelope.recipients) {
    const { action } = await ruleFor(job, recipient, reason, ports)
    disposition[action].push(recipient)
  }
  return disposition
}

/** Those of the recipients whom the notice of this action is about. Of mail that is sent, only its being held is news. */
export async function withNotice(
  job: JobHeader,
  action: UnscannableAction,
  recipients: Recipient[],
  reason: UnscannableReason,
  ports: PolicyPorts,
): Promise<Recipient[]> {
  if (job.direction === 'submission' && action !== 'hold') return []
  const chosen: Recipient[] = []
  for (const recipient of recipients) {
    if ((await ruleFor(job, recipient, reason, ports)).hasNotice) chosen.push(recipient)
  }
  return chosen
}

const SETTLED: UnscannableRule = { action: 'deliver', hasNotice: false }

async function ruleFor(
  job: JobHeader,
  { address }: Recipient,
  reason: UnscannableReason,
  ports: PolicyPorts,
): Promise<UnscannableRule> {
  if (job.session.receivedBy === 'internal' || job.released !== undefined) return SETTLED
  const policy = await ports.policy(domainOf(job.direction === 'submission' ? (job.session.account ?? '') : address))
  return policy[reason]
}

/** Whether a refusal is told to the sender (RFC 3464, RFC 5321 section 6.1): only to one who is authenticated. */
export function mayReturn({ session, envelope }: JobHeader): boolean {
  return session.account !== undefined && envelope.mailFrom !== ''
}
