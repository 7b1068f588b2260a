// Domain names on their way into a question and out of an answer (RFC 1035 section 2.3.4, RFC 5891, RFC 4343).
import { isIPv4, isIPv6 } from 'node:net'
import { domainToASCII } from 'node:url'

/**
 * Gives the name as it is asked: A-labels, lower case, no final dot.
 * Returns undefined for what can't be a question: empty or long labels, control characters, more than 253 bytes.
 */
export function toQueryName(name: string): string | undefined {
  const labels = name
    .replace(/[。．｡]/g, '.')
    .replace(/\.$/, '')
    .split('.')
    .map(toAsciiLabel)
  if (!labels.every((label) => label !== undefined && label.length > 0 && label.length <= 63)) return undefined
  const joined = labels.join('.')
  return joined.length <= 253 ? joined : undefined
}

function toAsciiLabel(label: string): string | undefined {
  if (/^[\x20-\x7e]*$/.test(label)) return label.toLowerCase()
  if (/[^\w\-\u0080-\u{10ffff}]/u.test(label)) return undefined // a URL's host ends at "/", "%" escapes, ...
  const ascii = domainToASCII(label)
  return ascii !== '' && !ascii.includes('.') ? ascii : undefined
}

/** Makes a name from an answer fit to print: whatever is not visible ASCII becomes \DDD (RFC 1035 section 5.1). */
export function toPresentation(name: string): string {
  if (name === '.') return ''
  if (/^[\x21-\x7e]*$/.test(name)) return name
  const bytes = [...Buffer.from(name)]
  const escaped = (byte: number) => `\\${String(byte).padStart(3, '0')}`
  return bytes.map((byte) => (byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : escaped(byte))).join('')
}

/** Gives the name under in-addr.arpa or ip6.arpa (RFC 1035 section 3.5, RFC 3596), undefined for no IP address. */
export function toReverseName(address: string): string | undefined {
  if (isIPv4(address)) return `${address.split('.').reverse().join('.')}.in-addr.arpa`
  if (!isIPv6(address)) return undefined
  const groups = expandIPv6(address.replace(/%.*$/, ''))
  if (groups.slice(0, 6).join(':') === '0000:0000:0000:0000:0000:ffff') {
    const bytes = Buffer.from(groups.slice(6).join(''), 'hex')
    return `${[...bytes].reverse().join('.')}.in-addr.arpa`
  }
  return `${[...groups.join('')].reverse().join('.')}.ip6.arpa`
}

function expandIPv6(address: string): string[] {
  const canonical = new URL(`http://[${address}]/`).hostname.slice(1, -1)
  const [head = [], tail] = canonical.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const zeros = tail === undefined ? [] : Array<string>(8 - head.length - tail.length).fill('0')
  return [...head, ...zeros, ...(tail ?? [])].map((group) => group.padStart(4, '0'))
}
