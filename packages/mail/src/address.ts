// Mail addresses (RFC 5321 section 4.1.2, RFC 6531): splitting, comparing and checking them.
import { domainToASCII } from 'node:url'

/** The domain of an address in lower case, IDN as A-labels; '' when there is none. */
export function domainOf(address: string): string {
  const at = address.lastIndexOf('@')
  return at < 0 ? '' : normalizeDomain(address.slice(at + 1))
}

/** A domain in the one form that is compared and stored: lower case, A-labels, no trailing dot; '' if it is none. */
export function normalizeDomain(domain: string): string {
  // domainToASCII reads as URLs do: it cuts at '/', '?' and '#' and turns numbers into addresses.
  if (NO_DOMAIN.test(domain)) return ''
  const ascii = domainToASCII(domain)
  return ascii.endsWith('.') ? ascii.slice(0, -1) : ascii
}

const NO_DOMAIN = /[\s\p{Cc}/\\?#@:%<>[\]"]|^[\d.]+$|(?:^|\.)(?:\d+|0x[\da-f]*)\.?$/iu

/** An address in the one form that is compared and stored for local accounts: all lower case, NFC, domain as A-labels. */
export function normalizeAddress(address: string): string {
  const at = address.lastIndexOf('@')
  if (at < 0) return address.normalize('NFC').toLowerCase()
  return `${address.slice(0, at).normalize('NFC').toLowerCase()}@${normalizeDomain(address.slice(at + 1))}`
}

const QUOTED = /^"(?:[^"\\\p{Cc}]|\\[^\p{Cc}])*"(?=@)/u

/** An address as it stands between angle brackets in a header field; what could lead out of them is left out. */
export function angled(address: string): string {
  const [quoted = ''] = QUOTED.exec(address) ?? []
  return `<${quoted}${address.slice(quoted.length).replace(/[\s\p{Cc}<>();]/gu, '')}>`
}

const LOCAL_PART = /^[^\s\p{Cc}@<>()[\]\\,;:"]{1,64}$/u
const DOMAIN = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/** Whether the text is a domain name that may have accounts. */
export function isDomainName(domain: string): boolean {
  return DOMAIN.test(normalizeDomain(domain))
}

/** Whether the text is an address that an account may have: dot-string local part, domain name. */
export function isAccountAddress(address: string): boolean {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, Math.max(at, 0))
  return at > 0 && LOCAL_PART.test(local) && !/^\.|\.\.|\.$/.test(local) && isDomainName(address.slice(at + 1))
}
