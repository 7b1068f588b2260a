// The one recipient without a domain: <postmaster> is the postmaster here (RFC 5321 sections 4.1.1.3 and 4.5.1).
import type { Envelope } from '@sekimori/mail/job'

/** The recipient with its domain. */
export function completeRecipient(recipient: string, domain: string): string {
  return /^postmaster$/i.test(recipient) ? `postmaster@${domain}` : recipient
}

/** The same for all of them. */
export function completeEnvelope(envelope: Envelope, domain: string): Envelope {
  const recipients = envelope.recipients.map((recipient) => ({
    ...recipient,
    address: completeRecipient(recipient.address, domain),
  }))
  return { ...envelope, recipients }
}
