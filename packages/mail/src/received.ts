// The Received field that an edge adds (RFC 5321 section 4.4, RFC 3848, RFC 8314 section 4.3).
import { angled } from './address.ts'
import { mailDate } from './date.ts'

export interface ReceivedFacts {
  ehloName: string
  /** Left out where it is nobody's business: then the name is not shown either. */
  clientAddress?: string
  hostname: string
  /** The "with" protocol, such as ESMTPSA. */
  protocol: string
  /** The cipher suite by IANA's name, and the TLS version, when the session is encrypted. */
  tls?: { cipher: string; version: string }
  queueId: string
  /** Shown only when the mail has exactly one recipient, so that no Bcc leaks. */
  recipients: string[]
  time: number
}

/** One folded Received line without its final CRLF. Everything that the client said is cleaned first. */
export function receivedLine(facts: ReceivedFacts): string {
  const tls = facts.tls === undefined ? '' : `\r\n\t(${facts.tls.version})`
  const cipher = facts.tls === undefined ? '' : `\r\n\ttls ${facts.tls.cipher}`
  const only = facts.recipients.length === 1 ? `\r\n\tfor ${angled(facts.recipients[0]!)}` : ''
  return (
    `Received: from ${clientOf(facts)}\r\n` +
    `\tby ${facts.hostname} with ${facts.protocol} id ${facts.queueId}${tls}${only}${cipher};\r\n` +
    `\t${mailDate(facts.time)}`
  )
}

function clientOf({ ehloName, clientAddress }: ReceivedFacts): string {
  if (clientAddress === undefined) return 'withheld.invalid (a client that has logged in)'
  const literal = clientAddress.includes(':') ? `IPv6:${clientAddress}` : clientAddress
  return `${printable(ehloName) || 'unknown'} ([${literal}])`
}

function printable(text: string): string {
  return text.replace(/[\s\p{Cc}<>();]/gu, '').slice(0, 255)
}
