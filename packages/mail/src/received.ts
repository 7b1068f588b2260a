// The Received field that an edge adds (RFC 5321 section 4.4, RFC 3848, RFC 8314 section 4.3).
import { mailDate } from './date.ts'

export interface ReceivedFacts {
  ehloName: string
  clientAddress: string
  hostname: string
  /** The "with" protocol, such as ESMTPSA. */
  protocol: string
  /** Name of the cipher suite and TLS version, when the session is encrypted. */
  tls?: { cipher: string; version: string }
  queueId: string
  /** Shown only when the mail has exactly one recipient, so that no Bcc leaks. */
  recipients: string[]
  time: number
}

/** One folded Received line without its final CRLF. Everything that the client said is cleaned first. */
export function receivedLine(facts: ReceivedFacts): string {
  const literal = facts.clientAddress.includes(':') ? `IPv6:${facts.clientAddress}` : facts.clientAddress
  const tls = facts.tls === undefined ? '' : `\r\n\t(${facts.tls.version} cipher ${facts.tls.cipher})`
  const only = facts.recipients.length === 1 ? `\r\n\tfor <${printable(facts.recipients[0]!)}>` : ''
  return (
    `Received: from ${printable(facts.ehloName) || 'unknown'} ([${literal}])\r\n` +
    `\tby ${facts.hostname} with ${facts.protocol} id ${facts.queueId}${tls}${only};\r\n` +
    `\t${mailDate(facts.time)}`
  )
}

function printable(text: string): string {
  return text.replace(/[\s\p{Cc}<>();]/gu, '').slice(0, 255)
}
