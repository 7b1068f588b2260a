// The header fields by which an operator recognises a quarantined mail.
import { headerValue, parseHeader } from '@sekimori/mail/header'
import type { Summary } from '@sekimori/store/quarantine'

const LONGEST = 500

/** Subject, From, To, Date and Message-ID as they stand; cut to a bearable length. */
export function summarize(head: Buffer): Summary {
  const fields = parseHeader(head)
  const cut = (name: string) => headerValue(fields, name)?.slice(0, LONGEST).toWellFormed()
  const summary: Record<string, string | undefined> = {
    subject: cut('subject'),
    from: cut('from'),
    to: cut('to'),
    date: cut('date'),
    messageId: cut('message-id'),
  }
  return Object.fromEntries(Object.entries(summary).filter(([, value]) => value !== undefined))
}
