// The copies of one mail: who gets one, and with which header lines on top.
import { contentSize } from '@sekimori/mail/content'
import { headerBytes, struckSize } from '@sekimori/mail/delivered'
import { headerEnd } from '@sekimori/mail/header'
import type { Job } from '@sekimori/mail/job'
import { surrogateSize } from '@sekimori/mail/surrogate'
import type { Member } from '@sekimori/store/directory'
import type { MaildropCopy } from '@sekimori/store/maildrop-delivery'
import { traceEntry } from '@sekimori/store/trace'
import { headIfThere } from './bounce.ts'
import type { Ports } from './ports.ts'

/**
 * Builds the copy for one maildrop: Return-Path (RFC 5321 section 4.4) above the lines of the stages before. `head` is the
 * header section of the mail.
 */
export function copyFor(job: Job, member: Member, head: Buffer, via?: string): MaildropCopy {
  const { content } = job
  const returnPath = job.envelope.mailFrom.replace(/[\s\p{Cc}<>]/gu, '')
  const added = headerBytes([`Return-Path: <${returnPath}>`, `Delivered-To: ${member.address}`, ...job.added])
  const sizeBytes = added.length + contentSize(content) - struckSize(job.struck)
  const surrogateBytes = surrogateSize(added, head, job.struck, sizeBytes)
  return {
    accountId: member.accountId,
    contentId: content.kind === 'inline' ? job.queueId : content.id,
    ...(content.kind === 'inline' ? { bytes: content.bytes } : {}),
    added,
    struck: job.struck,
    sizeBytes,
    ...(surrogateBytes === undefined ? {} : { surrogateBytes }),
    trace: {
      ...traceEntry(job, member.address, 'maildrop', 'delivered', via === undefined ? undefined : `via ${via}`),
      ...(via === undefined ? {} : { via: via.replace(/^list /, '') }),
    },
  }
}

/** The header section of the mail; of one that has reached its end already, nothing. */
export async function headOf(job: Job, ports: Pick<Ports, 'head'>): Promise<Buffer> {
  if (job.content.kind === 'stored') return headIfThere(job, ports)
  const { bytes } = job.content
  const end = headerEnd(bytes)
  return end < 0 ? bytes : bytes.subarray(0, end)
}
