// What a session of smtp-server says, in our words: the envelope and the facts for the Received line.
import { normalizeDomain } from '@sekimori/mail/address'
import type { Envelope } from '@sekimori/mail/job'
import type { ReceivedFacts } from '@sekimori/mail/received'
import type { SMTPServerSession } from 'smtp-server'
import { plainAddress } from './proxy-header.ts'

/** The envelope of the current transaction, with the DSN parameters of RFC 3461. */
export function envelopeOf(session: SMTPServerSession): Envelope {
  const { mailFrom, rcptTo, dsn, bodyType, smtpUtf8, requireTLS } = session.envelope
  return {
    mailFrom: mailFrom === false ? '' : mailFrom.address,
    recipients: rcptTo.map((recipient) => ({
      address: withNormalDomain(recipient.address),
      ...(recipient.dsn?.notify ? { notify: recipient.dsn.notify } : {}),
      ...(recipient.dsn?.orcpt ? { orcpt: recipient.dsn.orcpt } : {}),
    })),
    ...(dsn?.envid ? { envid: dsn.envid } : {}),
    ...(dsn?.ret ? { ret: dsn.ret } : {}),
    ...(bodyType ? { bodyType } : {}),
    ...(smtpUtf8 ? { smtpUtf8: true } : {}),
    ...(requireTLS ? { requireTls: true } : {}),
  }
}

/** Domains have no case and are known by their A-labels; what stands before the @ is the recipient's own affair. */
function withNormalDomain(address: string): string {
  const at = address.lastIndexOf('@') + 1
  const domain = at === 0 ? '' : normalizeDomain(address.slice(at))
  return domain === '' ? address : address.slice(0, at) + domain
}

/** The client's address; an IPv4 address that came in over an IPv6 socket is shown as what it is. */
export function clientAddressOf(session: SMTPServerSession): string {
  return plainAddress(session.remoteAddress)
}

/** The "with" keyword (RFC 3848); that of a transaction with SMTPUTF8 is another (RFC 6531 section 4.3). */
function protocolOf({ transmissionType, envelope }: SMTPServerSession): string {
  return envelope.smtpUtf8 ? transmissionType.replace(/^ESMTP/, 'UTF8SMTP') : transmissionType
}

/** The facts for the Received line of the current transaction. */
export function receivedFactsOf(
  session: SMTPServerSession,
  hostname: string,
  queueId: string,
  time: number,
): ReceivedFacts {
  const tls = session.tlsOptions
  return {
    ehloName: session.hostNameAppearsAs || '',
    clientAddress: clientAddressOf(session),
    hostname,
    protocol: protocolOf(session),
    ...(tls ? { tls: { cipher: tls.standardName ?? tls.name, version: tls.version } } : {}),
    queueId,
    recipients: session.envelope.rcptTo.map((recipient) => recipient.address),
    time,
  }
}
