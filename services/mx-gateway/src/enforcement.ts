// DMARC in the session, for domains that ask for it (RFC 9989 section 5.4): what the owner of the author's domain wants
// done with mail that fails is done before we answer for it.
import type { DmarcFinding, Findings } from '@sekimori/authentication/findings'
import { domainOf } from '@sekimori/mail/address'
import { type Job, withHeader, withHistory } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { SmtpReply } from '@sekimori/smtp/reply'
import type { DmarcPolicy } from '@sekimori/store/dmarc-policy'

export interface EnforcementPorts {
  /** What a domain of ours wants done with mail that fails DMARC. */
  dmarcPolicy(domain: string): Promise<DmarcPolicy>
  verify(job: Job): Promise<Findings>
  /** Counts a mail that is refused, for the report to the author's domain. */
  note(job: Job, findings: Findings): Promise<void>
  /** Puts the end of a refused mail into the trace. */
  traceRefusal(job: Job, detail: string): Promise<void>
  /** Lets stored content go. */
  release(queueId: string): Promise<void>
  reportFault(job: Job, error: unknown): void
}

/**
 * A mail has one answer for all its recipients, so those of a domain with another policy come in another transaction.
 * @throws SmtpReply 452 4.5.3 for such a one
 */
export async function checkSamePolicy(ports: EnforcementPorts, recipient: string, first?: string): Promise<void> {
  if (first === undefined || domainOf(first) === domainOf(recipient)) return
  const [one, other] = await Promise.all([first, recipient].map((address) => ports.dmarcPolicy(domainOf(address))))
  if (one !== other) throw new SmtpReply(452, '4.5.3', 'This recipient in a transaction of its own, please')
}

/** The mail, with what was found, and marked where that is asked for. @throws SmtpReply 550 5.7.1 when its author's domain asks to reject it */
export async function enforceDmarc(job: Job, ports: EnforcementPorts): Promise<Job> {
  const domains = new Set(job.envelope.recipients.map(({ address }) => domainOf(address)))
  const policies = await Promise.all([...domains].map((domain) => ports.dmarcPolicy(domain)))
  if (!policies.every((policy) => policy === 'enforce')) return job
  const findings = await findingsOf(job, ports)
  if (findings === undefined) return job
  const { dmarc } = findings
  const verified = isSettled(findings) ? { ...job, verified: findings } : job
  if (!isFailure(dmarc)) return verified
  const author = dmarc.headerFrom ?? 'an author who is not clear'
  switch (dmarc.policy) {
    case 'none':
      return verified
    case 'quarantine': {
      const marked = withHeader(verified, [`X-DMARC-Quarantine: yes; author="${author}"`])
      return withHistory(marked, 'mx', `dmarc=${dmarc.result} quarantine`)
    }
    case 'reject':
      await ports.note(job, findings)
      await ports.traceRefusal(job, `DMARC policy of ${author}: ${dmarc.line}`)
      if (job.content.kind === 'stored') await ports.release(job.queueId)
      throw new SmtpReply(550, '5.7.1', `Mail in the name of ${author} is refused by the DMARC policy of that domain`)
  }
}

/** Whether the stage would find the same: what DNS did not tell now, it may tell then. */
function isSettled({ spf, helo, dkim, dmarc }: Findings): boolean {
  return [spf, helo, dmarc, ...dkim].every((finding) => finding?.result !== 'temperror')
}

/** A pass, and what could not be found out now, is no failure. An author who is not clear is one: nobody vouches for it. */
function isFailure({ result, headerFrom }: DmarcFinding): boolean {
  return result === 'fail' || (result === 'none' && headerFrom === undefined)
}

/** A fault of ours must not keep mail out. */
async function findingsOf(job: Job, ports: EnforcementPorts): Promise<Findings | undefined> {
  try {
    return await ports.verify(job)
  } catch (error) {
    if (error instanceof DependencyAway) throw error
    ports.reportFault(job, error)
    return undefined
  }
}
