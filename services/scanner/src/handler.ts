// What becomes of a scanned mail. Throwing means "not decided": the mail waits while clamd is away.
import type { Content } from '@sekimori/mail/content'
import { type Job, type JobHeader, type Recipient, withHeader, withHistory } from '@sekimori/mail/job'
import type { UnscannableReason } from '@sekimori/mail/unscannable'
import { authenticate, type Publication, publication, scanSlow, sign } from '@sekimori/queue/queues'
import { ContentGone } from '@sekimori/store/content'
import type { Part } from '@sekimori/store/quarantine'
import { NeedsTime } from './archive/needs-time.ts'
import { disposeOf, mayReturn, type PolicyPorts } from './disposition.ts'
import { tidingsOf, unscannableNotice } from './tidings.ts'
import { describe, type Scan, statusLine } from './verdict.ts'

export interface Ports extends PolicyPorts {
  hostname: string
  /** @throws DependencyAway when there is no verdict. @throws ContentGone; NeedsTime when others would have to wait for it */
  scan(content: Content): Promise<Scan>
  /** The header section of the mail. */
  head(content: Content): Promise<Buffer>
  /** Sets parts of a mail aside, once, however often it is called. `isEnd`: no other part of this leg goes on. */
  setAside(job: Job, parts: Part[], engine: string, head: Buffer, isEnd: boolean): Promise<void>
  /** What was set aside of this leg of the mail earlier. */
  recall(job: JobHeader): Promise<{ parts: Part[]; head: Buffer } | undefined>
  /** Whether each recipient of the job has a recorded end. */
  haveAllEnded(job: JobHeader): Promise<boolean>
  /** False when another job of the same release has come first. */
  claimRelease(job: Job): Promise<boolean>
}

const FIELD = 'X-Virus-Status'

/** Scans a mail: it goes on with its verdict in the header, or is set aside, and those whom that concerns are told. */
export async function handleScan(job: Job, ports: Ports): Promise<Publication[]> {
  if (job.released !== undefined && !(await ports.claimRelease(job))) return []
  try {
    return await proceed(job, await ports.scan(job.content), ports)
  } catch (error) {
    if (error instanceof NeedsTime) return [publication(scanSlow, withHistory(job, 'scan', `waits: ${error.message}`))]
    if (!(error instanceof ContentGone)) throw error
    // It was set aside before a crash; whether anybody was told is not known, so they are told (once) again.
    const earlier = await ports.recall(job)
    // Those of whom nothing was set aside must have come to their end, or the mail is lost.
    if (earlier === undefined || !(await ports.haveAllEnded(job))) throw error
    return tellOf(job, earlier.parts, earlier.head, ports)
  }
}

async function proceed(job: Job, { verdict, engine }: Scan, ports: Ports): Promise<Publication[]> {
  switch (verdict.kind) {
    case 'clean':
      // It was not looked into when it was set aside, and never passes for clean afterwards.
      if (job.released !== undefined) return partByPolicy(job, job.released.reason, engine, ports)
      return [onward(marked(job, { verdict, engine }, ports.hostname))]
    case 'unscannable':
      return partByPolicy(job, verdict.reason, engine, ports)
    case 'infected': {
      const { signature } = verdict
      const { recipients } = job.envelope
      return stop(scanned(job, { verdict, engine }), [{ kind: 'infected', signature, recipients }], engine, ports)
    }
  }
}

/** Each recipient gets what the domain wants: the mail, a mail that is held, or a refusal. */
async function partByPolicy(job: Job, reason: UnscannableReason, engine: string, ports: Ports): Promise<Publication[]> {
  const scan: Scan = { verdict: { kind: 'unscannable', reason }, engine }
  const { deliver, hold, refuse } = await disposeOf(job, reason, ports)
  const parts: Part[] = []
  if (hold.length > 0) parts.push({ kind: 'held', reason, recipients: hold })
  if (refuse.length > 0) parts.push({ kind: 'refused', reason, recipients: refuse, isReturned: mayReturn(job) })
  const stopped = parts.length === 0 ? [] : await stop(scanned(job, scan), parts, engine, ports, deliver.length === 0)
  if (deliver.length === 0) return stopped
  const passed = forRecipients(marked(job, scan, ports.hostname), deliver)
  const notices = await unscannableNotice(passed, 'deliver', deliver, reason, await ports.head(job.content), ports)
  return [onward(passed), ...notices, ...stopped]
}

async function stop(job: Job, parts: Part[], engine: string, ports: Ports, isEnd = true): Promise<Publication[]> {
  const head = await ports.head(job.content)
  await ports.setAside(job, parts, engine, head, isEnd)
  return tellOf(job, parts, head, ports)
}

async function tellOf(job: Job, parts: Part[], head: Buffer, ports: Ports): Promise<Publication[]> {
  return (await Promise.all(parts.map((part) => tidingsOf(job, part, head, ports)))).flat()
}

function scanned(job: Job, { verdict, engine }: Scan): Job {
  return withHistory(job, 'scan', `${describe(verdict)} by ${engine}`)
}

/** The job with the verdict in its header and history. */
function marked(job: Job, scan: Scan, hostname: string): Job {
  return withHeader(scanned(job, scan), [statusLine(scan.verdict, hostname, scan.engine)], FIELD)
}

function forRecipients(job: Job, recipients: Recipient[]): Job {
  return { ...job, envelope: { ...job.envelope, recipients } }
}

/** Submitted mail is signed next; mail for local maildrops has its sender verified. */
function onward(job: Job): Publication {
  return job.direction === 'submission' ? publication(sign, job) : publication(authenticate, job)
}
