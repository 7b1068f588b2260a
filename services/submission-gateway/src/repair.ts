// What a submission server mends in the header section, and nothing else (RFC 6409 section 8).
import { mailDate } from '@sekimori/mail/date'
import type { HeaderField } from '@sekimori/mail/header'

export interface RepairFacts {
  queueId: string
  hostname: string
  /** Address for a missing From field. */
  accountAddress: string
  time: number
}

const HIDDEN = new Set(['bcc', 'resent-bcc'])

/** Adds Date, Message-ID and From where they are missing and removes Bcc. Returns `head` itself when nothing is to be done. */
export function repairHead(head: Buffer, fields: HeaderField[], facts: RepairFacts): Buffer {
  const names = new Set(fields.map((field) => field.name))
  const missing: string[] = []
  if (!names.has('from')) missing.push(`From: ${facts.accountAddress}`)
  if (!names.has('date')) missing.push(`Date: ${mailDate(facts.time)}`)
  if (!names.has('message-id')) missing.push(`Message-ID: ${messageIdFor(facts)}`)
  const hidden = fields.filter((field) => HIDDEN.has(field.name))
  if (missing.length === 0 && hidden.length === 0) return head
  // A text without a header section becomes the body, not a part of the lines that are added.
  const isText = fields.length === 0 && /^[^\r\n]/.test(head.toString('latin1', 0, 1))
  const parts: Buffer[] = [Buffer.from(`${missing.map((line) => `${line}\r\n`).join('')}${isText ? '\r\n' : ''}`)]
  let from = 0
  for (const field of hidden) {
    parts.push(head.subarray(from, field.start))
    from = field.end
  }
  parts.push(head.subarray(from))
  return Buffer.concat(parts)
}

/** The Message-ID given to a mail that came without one. */
export function messageIdFor({ queueId, hostname }: { queueId: string; hostname: string }): string {
  return `<${queueId}@${hostname}>`
}
