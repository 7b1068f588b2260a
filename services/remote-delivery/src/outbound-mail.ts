// One mail as it goes out: what the dialogue has to know about it, and its octets.
import { contentSize, type OpenContent } from '@sekimori/mail/content'
import { asDelivered, headerBytes, struckSize } from '@sekimori/mail/delivered'
import { headerValue, parseHeader } from '@sekimori/mail/header'
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
  /** Whether it was declared 8BITMIME and has octets beyond ASCII; looked up when a server needs to know. */
  isEightBit: boolean
  /** Whether the sender puts delivery above encryption: `TLS-Required: No` (RFC 8689 section 3). */
  isTlsOptional: boolean
  /** Whether it is a TLS report of ours (RFC 8460): what becomes of its session is in no further report. */
  isTlsReport: boolean
  /** Addresses that it was delivered to before. */
  deliveredTo: Set<string>
  /** The header section as it was accepted, for DSNs. */
  head: Buffer
  open(): AsyncIterable<Buffer>
}

/** `head` is the header section of the content. */
export function outboundMail(job: Job, head: Buffer, open: OpenContent): OutboundMail {
  const { queueId, envelope, struck } = job
  const added = headerBytes(job.added)
  const fields = [...parseHeader(added), ...ownFields(head, struck)]
  return {
    queueId,
    envelope,
    sizeBytes: added.length + contentSize(job.content) - struckSize(struck),
    hops: fields.filter(({ name }) => name === 'received').length,
    isHeadUtf8: hasEightBit(added) || hasEightBit(head),
    isEightBit: false,
    isTlsOptional: headerValue(fields, 'tls-required')?.trim().toLowerCase() === 'no',
    isTlsReport: job.session.receivedBy === 'internal' && headerValue(fields, 'tls-report-domain') !== undefined,
    deliveredTo: new Set(
      fields.filter(({ name }) => name === 'delivered-to').map(({ value }) => value.trim().toLowerCase()),
    ),
    head,
    open: () => asDelivered(added, open(job.content), struck),
  }
}

/** The fields that are not struck out. */
function ownFields(head: Buffer, struck: readonly number[]) {
  const starts = new Set(struck.filter((_, index) => index % 2 === 0))
  return parseHeader(head).filter(({ start }) => !starts.has(start))
}

/**
 * Whether the mail is declared 8BITMIME (RFC 6152) and really is not ASCII: many clients declare all their mail so. Reads it.
 * @throws what reading throws.
 */
export async function isEightBitMail({ envelope, open }: OutboundMail): Promise<boolean> {
  if (envelope.bodyType?.toLowerCase() !== '8bitmime') return false
  for await (const octets of open()) if (hasEightBit(octets)) return true
  return false
}

function hasEightBit(octets: Buffer): boolean {
  return octets.some((octet) => octet >= 0x80)
}
