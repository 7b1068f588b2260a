// What becomes of a scanned mail. Throwing means "not decided": the mail waits while clamd is away.
import type { Content } from '@sekimori/mail/content'
import { type Job, type JobHeader, withHeader, withHistory } from '@sekimori/mail/job'
import { authenticate, notify, type Publication, publication, sign } from '@sekimori/queue/queues'
import type { Finding } from '@sekimori/store/quarantine'
import { describe, type Scan, statusLine } from './verdict.ts'

export interface Ports {
  hostname: string
  /** @throws DependencyAway when there is no verdict. */
  scan(content: Content): Promise<Scan>
  /** The header section of the mail. */
  head(content: Content): Promise<Buffer>
  /** Sets an infected mail aside; once, however often it is called. */
  quarantine(job: Job, finding: Finding, head: Buffer): Promise<void>
}

const FIELD = 'X-Virus-Status'

/** Scans a mail: clean and unscannable mail goes on with its verdict in the header, infected mail is set aside and its parties are told. */
export async function handleScan(job: Job, ports: Ports): Promise<Publication[]> {
  const { verdict, engine } = await ports.scan(job.content)
  const scanned = withHistory(job, 'scan', describe(verdict))
  switch (verdict.kind) {
    case 'clean':
    case 'unscannable':
      return [onward(withHeader(scanned, [statusLine(verdict, ports.hostname, engine)], FIELD))]
    case 'infected': {
      const head = await ports.head(job.content)
      await ports.quarantine(scanned, { signature: verdict.signature, engine }, head)
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
