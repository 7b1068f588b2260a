// Telling the sender that a recipient got nothing: authenticated senders only, as their mail's DSN parameters wish.
import type { Job, Recipient } from '@sekimori/mail/job'
import { notify, type Publication, publication } from '@sekimori/queue/queues'
import { ContentGone } from '@sekimori/store/content'
import type { TraceEntry } from '@sekimori/store/trace'
import type { Ports } from './ports.ts'

/** A recipient who gets nothing. `status` is the enhanced status code. */
export interface Failed {
  address: string
  status: string
  diagnostic: string
  entry: TraceEntry
}

/** Only an authenticated sender is told; a bounce to a stranger would hit whoever was forged. */
export async function bounces(job: Job, failed: Failed[], ports: Pick<Ports, 'head'>): Promise<Publication[]> {
  const recipients = new Map<string, Recipient>(job.envelope.recipients.map((named) => [named.address, named]))
  const wished = failed.filter(({ address }) => wantsNotice(recipients.get(address)))
  if (wished.length === 0 || job.session.account === undefined || job.envelope.mailFrom === '') return []
  const { content: _, ...header } = job
  const told = wished.map(({ address, status, diagnostic }) => {
    const orcpt = recipients.get(address)?.orcpt
    return { address, ...(orcpt === undefined ? {} : { orcpt }), status, diagnostic }
  })
  const head = await headIfThere(job, ports)
  return [
    publication(notify, {
      kind: 'undelivered',
      action: 'failed',
      recipients: told,
      job: header,
      content: { kind: 'inline', bytes: head },
    }),
  ]
}

function wantsNotice(recipient: Recipient | undefined): boolean {
  return recipient?.notify === undefined || recipient.notify.includes('FAILURE')
}

/** The header section; it may be gone when this is an attempt after one that let the content go and could not publish. */
export async function headIfThere(job: Job, { head }: Pick<Ports, 'head'>): Promise<Buffer> {
  try {
    return await head(job)
  } catch (error) {
    if (error instanceof ContentGone) return Buffer.alloc(0)
    throw error
  }
}
