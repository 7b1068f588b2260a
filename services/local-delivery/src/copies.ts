// The copies of one mail: who gets one, and with which header lines on top.
import { isAscii } from 'node:buffer'
import { angled } from '@sekimori/mail/address'
import { contentSize } from '@sekimori/mail/content'
import { headerBytes, struckSize } from '@sekimori/mail/delivered'
import { headerEnd } from '@sekimori/mail/header'
import type { Job } from '@sekimori/mail/job'
import { surrogateGrowth } from '@sekimori/mail/surrogate'
import { surrogatePartsGrowth } from '@sekimori/mail/surrogate-parts'
import type { Member } from '@sekimori/store/directory'
import type { MaildropCopy } from '@sekimori/store/maildrop-delivery'
import { traceEntry } from '@sekimori/store/trace'
import { headIfThere } from './bounce.ts'
import type { Ports } from './ports.ts'

/** What all copies of a mail have in common. */
export interface Original {
  /** The header section. */
  head: Buffer
  /** By how many octets the headers of its parts are longer for clients that know no UTF-8 (RFC 6856). */
  partsGrowth: number
}

/** Of a mail that is gone, because it has reached its end already: nothing. */
export async function originalOf(job: Job, ports: Pick<Ports, 'head' | 'content'>): Promise<Original> {
  const head = await headOf(job, ports)
  const isInternational = job.envelope.smtpUtf8 === true || !isAscii(head)
  const isAsciiThroughout = job.content.kind === 'inline' && isAscii(job.content.bytes)
  const mayGrow = isInternational && !isAsciiThroughout
  return { head, partsGrowth: mayGrow ? await surrogatePartsGrowth(head, () => ports.content(job)) : 0 }
}

async function headOf(job: Job, ports: Pick<Ports, 'head'>): Promise<Buffer> {
  if (job.content.kind === 'stored') return headIfThere(job, ports)
  const { bytes } = job.content
  const end = headerEnd(bytes)
  return end < 0 ? bytes : bytes.subarray(0, end)
}

/** Builds the copy for one maildrop: Return-Path (RFC 5321 section 4.4) above the lines of the stages before. */
export function copyFor(job: Job, member: Member, { head, partsGrowth }: Original, via?: string): MaildropCopy {
  const { content } = job
  const added = headerBytes([
    `Return-Path: ${angled(job.envelope.mailFrom)}`,
    `Delivered-To: ${member.address}`,
    ...job.added,
  ])
  const sizeBytes = added.length + contentSize(content) - struckSize(job.struck)
  const growth = surrogateGrowth(added, head, job.struck, partsGrowth)
  return {
    accountId: member.accountId,
    contentId: content.kind === 'inline' ? job.queueId : content.id,
    ...(content.kind === 'inline' ? { bytes: content.bytes } : {}),
    added,
    struck: job.struck,
    sizeBytes,
    ...(growth === undefined ? {} : { surrogateBytes: sizeBytes + growth }),
    trace: {
      ...traceEntry(job, member.address, 'maildrop', 'delivered', via === undefined ? undefined : `via ${via}`),
      ...(via === undefined ? {} : { via: via.replace(/^list /, '') }),
    },
  }
}
