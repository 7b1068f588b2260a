// The copies of one mail: who gets one, and with which header lines on top.
import { contentSize } from '@sekimori/mail/content'
import { headerBytes, struckSize } from '@sekimori/mail/delivered'
import type { Job } from '@sekimori/mail/job'
import type { Member } from '@sekimori/store/directory'
import type { MaildropCopy } from '@sekimori/store/maildrop-delivery'
import { traceEntry } from '@sekimori/store/trace'

/** Builds the copy for one maildrop: Return-Path (RFC 5321 section 4.4) above the lines of the stages before. */
export function copyFor(job: Job, member: Member, via?: string): MaildropCopy {
  const { content } = job
  const returnPath = job.envelope.mailFrom.replace(/[\s\p{Cc}<>]/gu, '')
  const added = headerBytes([`Return-Path: <${returnPath}>`, `Delivered-To: ${member.address}`, ...job.added])
  return {
    accountId: member.accountId,
    contentId: content.kind === 'inline' ? job.queueId : content.id,
    ...(content.kind === 'inline' ? { bytes: content.bytes } : {}),
    added,
    struck: job.struck,
    sizeBytes: added.length + contentSize(content) - struckSize(job.struck),
    trace: {
      ...traceEntry(job, member.address, 'maildrop', 'delivered', via === undefined ? undefined : `via ${via}`),
      ...(via === undefined ? {} : { via: via.replace(/^list /, '') }),
    },
  }
}
