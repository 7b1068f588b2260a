// What a mail needs of the server that takes it, and what a server can't take (RFC 6531, RFC 6152, RFC 8689, RFC 1870).
import { domainToASCII } from 'node:url'
import type { OutboundMail } from './outbound-mail.ts'
import { type Failure, rejected } from './outcome.ts'

/** What the server said in reply to EHLO. */
export interface Capabilities {
  /** Keywords in upper case. */
  extensions: readonly string[]
  /** 0 when the server names no limit. */
  maxSizeBytes: number
  isEncrypted: boolean
}

const NON_ASCII = /[^\x00-\x7f]/
const NOT_IN_A_PATH = /[\r\n<>]|^\s|\s$/

/** Why this recipient's copy can't go to this server at all; undefined when it can. */
export function capabilityFault(mail: OutboundMail, recipient: string, server: Capabilities): Failure | undefined {
  const { mailFrom, requireTls } = mail.envelope
  if (NOT_IN_A_PATH.test(recipient)) return rejected('5.1.3', 'The address can not be written in an SMTP command')
  if (NOT_IN_A_PATH.test(mailFrom))
    return rejected('5.1.7', "The sender's address can not be written in an SMTP command")
  if (needsUtf8(mail, recipient) && !server.extensions.includes('SMTPUTF8'))
    return rejected('5.6.7', 'The server does not offer SMTPUTF8, which this mail needs')
  if (mail.isEightBit && !server.extensions.includes('8BITMIME'))
    return rejected('5.6.3', 'The server does not offer 8BITMIME, which this mail needs; it is not converted')
  if (requireTls === true && !(server.isEncrypted && server.extensions.includes('REQUIRETLS')))
    return rejected('5.7.30', 'The server does not offer REQUIRETLS, which the sender asked for')
  if (server.maxSizeBytes > 0 && mail.sizeBytes > server.maxSizeBytes)
    return rejected('5.3.4', `The server takes at most ${server.maxSizeBytes} octets, the mail has ${mail.sizeBytes}`)
  return undefined
}

/**
 * Whether the mail needs SMTPUTF8. A client that asks for it by habit does not make it needed, and a header with raw
 * 8-bit octets does not where nobody asked for it: such mail has always been passed on as it is.
 */
export function needsUtf8(mail: OutboundMail, recipient: string): boolean {
  const { mailFrom, smtpUtf8 } = mail.envelope
  return (
    (smtpUtf8 === true && mail.isHeadUtf8) ||
    [mailFrom, recipient].some((address) => NON_ASCII.test(localPart(address)))
  )
}

/** The address as the command shows it: without SMTPUTF8 a domain stands in A-labels. */
export function commandAddress(address: string, isUtf8: boolean): string {
  if (isUtf8 || !NON_ASCII.test(address)) return address
  return `${localPart(address)}@${domainToASCII(address.slice(address.lastIndexOf('@') + 1))}`
}

function localPart(address: string): string {
  return address.slice(0, Math.max(address.lastIndexOf('@'), 0))
}
