// One mail as it goes out: what the dialogue has to know about it, and its octets.
import { contentSize, type OpenContent } from '@sekimori/mail/content'
import { asDelivered, headerBytes, struckSize } from '@sekimori/mail/delivered'
import { parseHeader } from '@sekimori/mail/header'
import type { Envelope, Job } from '@sekimori/mail/job'

export interface OutboundMail {
  queueId: string
  envelope: Envelope
  /** As delivered, in octets. */
  sizeBytes: number
  /** Received fields: how many servers the mail has passed (RFC 5321 section 6.3). */
  hops: number
  /** Whether the header section has octets beyond ASCII (RFC 6532). */
  isHeadUtf8: boolean
  /** The header section as it was accepted, for DSNs. */
  head: Buffer
  open(): AsyncIterable<Buffer>
}

/** `head` is the header section of the content. */
export function outboundMail(job: Job, head: Buffer, open: OpenContent): OutboundMail {
  const { queueId, envelope, struck } = job
  const added = headerBytes(job.added)
  return {
    queueId,
    envelope,
    sizeBytes: added.length + contentSize(job.content) - struckSize(struck),
    hops: countReceived(added) + countReceived(head, struck),
    isHeadUtf8: hasEightBit(added) || hasEightBit(head),
    head,
    open: () => asDelivered(added, open(job.content), struck),
  }
}

function countReceived(head: Buffer, struck: readonly number[] = []): number {
  const starts = new Set(struck.filter((_, index) => index % 2 === 0))
  return parseHeader(head).filter(({ name, start }) => name === 'received' && !starts.has(start)).length
}

function hasEightBit(octets: Buffer): boolean {
  return octets.some((octet) => octet >= 0x80)
}
