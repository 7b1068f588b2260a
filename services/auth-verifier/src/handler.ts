// Verifies who sent a mail and records it; never rejects. Mail of our own accounts is recorded as authenticated.
import { type Findings, resultLines } from '@sekimori/authentication/findings'
import { authenticationResults, safeLine } from '@sekimori/authentication/results'
import { summarize } from '@sekimori/authentication/sender-verdict'
import type { Content } from '@sekimori/mail/content'
import { parseHeader, strayFoldSize } from '@sekimori/mail/header'
import { type Job, withHeader, withHistory } from '@sekimori/mail/job'
import { deliverLocal, type Publication, publication } from '@sekimori/queue/queues'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { forgedFields } from './forged.ts'

export interface Ports {
  hostname: string
  verify(job: Job): Promise<Findings>
  /** The header section of the mail. */
  head(content: Content): Promise<Buffer>
  /** Counts what was found, for the report to the author's domain. */
  note(job: Job, findings: Findings): Promise<void>
  /** Tells operators that a mail could not be verified because of a fault in the verifier. */
  reportFault(job: Job, error: unknown): void
}

export async function handleAuthenticate({ verified, ...job }: Job, ports: Ports): Promise<Publication[]> {
  const findings = verified ?? (await verify(job, ports))
  await ports.note(job, findings)
  const { receivedSpf } = findings
  const methods = resultLines(findings)
  const own = job.session.account === undefined ? [] : [`auth=pass smtp.auth=${job.session.account}`]
  const lines = [authenticationResults(ports.hostname, [...own, ...methods])]
  if (receivedSpf !== undefined) lines.push(safeLine(`${receivedSpf} receiver=${ports.hostname};`))
  const head = await ports.head(job.content)
  const strayFold = strayFoldSize(head)
  const struck = [...(strayFold > 0 ? [0, strayFold] : []), ...forgedFields(parseHeader(head), ports.hostname)]
  const recorded = withHistory(
    { ...job, struck, authentication: summarize(findings) },
    'authenticate',
    methods.map((method) => method.split(' ')[0]).join(' ') || 'none',
  )
  return [publication(deliverLocal, withHeader(recorded, lines))]
}

/** A fault of the verifier itself must not hold mail up, and must not count as a pass. */
async function verify(job: Job, ports: Ports): Promise<Findings> {
  try {
    return await ports.verify(job)
  } catch (error) {
    if (error instanceof DependencyAway || (error as Error).name === 'ContentGone') throw error
    ports.reportFault(job, error)
    return notEvaluated()
  }
}

function notEvaluated(): Findings {
  const line = (method: string) => `${method}=temperror (not evaluated)`
  return {
    spf: { result: 'temperror', domain: '', line: line('spf') },
    dkim: [{ result: 'temperror', line: line('dkim') }],
    dmarc: { result: 'temperror', policy: 'none', line: line('dmarc') },
  }
}
