// What becomes of a scanned mail. Throwing means "not decided": the mail waits while clamd is away.
import type { Content } from '@sekimori/mail/content'
import { type Job, type JobHeader, withHeader, withHistory } from '@sekimori/mail/job'
import { authenticate, notify, type Publication, publication, sign } from '@sekimori/queue/queues'
import { describe, statusLine, type Verdict } from './verdict.ts'

export interface Ports {
  hostname: string
  /** Engine and signature version. */
  engine(): string
  scan(content: Content): Promise<Verdict>
  /** The header section of the mail. */
  head(content: Content): Promise<Buffer>
  /** Sets an infected mail aside; once, however often it is called. */
  quarantine(job: Job, signature: string, head: Buffer): Promise<void>
}

const FIELD = 'X-Virus-Status'

/** Scans a mail: clean and unscannable mail goes on with its verdict in the header, infected mail is set aside and its parties are told. */
export async function handleScan(job: Job, ports: Ports): Promise<Publication[]> {
  const verdict = await ports.scan(job.content)
  const scanned = withHistory(job, 'scan', describe(verdict))
  switch (verdict.kind) {
    case 'clean':
    case 'unscannable':
      return [onward(withHeader(scanned, [statusLine(verdict, ports.hostname, ports.engine())], FIELD))]
    case 'infected': {
      const head = await ports.head(job.content)
      await ports.quarantine(scanned, verdict.signature, head)
      const { content: _, ...header } = scanned
      return [
        publication(notify, {
          kind: 'infected',
          signature: verdict.signature,
          job: header satisfies JobHeader,
          content: { kind: 'inline', bytes: head },
        }),
      ]
    }
  }
}

/** Submitted mail is signed next; mail for local maildrops has its sender verified. */
function onward(job: Job): Publication {
  return job.direction === 'submission' ? publication(sign, job) : publication(authenticate, job)
}
