// Who a mail says that it is from, for DMARC (RFC 9989 section 5.3.1): one From field with one address that every
// reader reads alike. Whatever is less plain than that has no author whom a pass could vouch for.
import { normalizeDomain } from '@sekimori/mail/address'
import { type HeaderField, unfold } from '@sekimori/mail/header'

/** `domains` of an unclear author: every domain that some reader may take for the author's. */
export type Author =
  | { kind: 'address'; address: string; domain: string }
  | { kind: 'unclear'; reason: string; domains: string[] }

const ATEXT = "[\\w!#$%&'*+\\-/=?^`{|}~\\u0080-\\u{10ffff}]"
const DOT_ATOM = `${ATEXT}+(?:\\.${ATEXT}+)*`
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"'
/** A display name (RFC 5322 section 3.2.5) with the dots that section 4.1 allows as well; one way only to match a text. */
const PHRASE = `(?:${ATEXT}|\\.|${QUOTED}|\\s)*`
const ADDR_SPEC = `((?:${DOT_ATOM}|${QUOTED})@[^\\s<>@,;:"()\\[\\]\\\\]+)`
const MAILBOX = new RegExp(`^(?:${PHRASE}<\\s*${ADDR_SPEC}\\s*>|${ADDR_SPEC})$`, 'u')
/** A bare CR ends a line for some mail clients: what follows may be a From field of its own to them. */
const HIDDEN_FROM = /\r(?!\n)\s*from\s*:/i
const NAMED_DOMAIN = /@\s*([^\s<>@,;:"()[\]\\]+)/g
const MOST_DOMAINS = 10

/** Reads the author from the header section. */
export function readAuthor(fields: HeaderField[]): Author {
  const from = fields.filter(({ name }) => name === 'from').map(({ value }) => unfold(value))
  const hidden = fields.filter(({ value }) => HIDDEN_FROM.test(value)).map(({ value }) => value)
  const unclear = (reason: string): Author => ({ kind: 'unclear', reason, domains: domainsIn([...from, ...hidden]) })
  if (hidden.length > 0) return unclear('a From field hidden in another one')
  if (from.length !== 1) return unclear(from.length === 0 ? 'no From field' : 'more than one From field')
  const address = addressIn(from[0]!)
  if (address === undefined) return unclear('not one well-formed address in From')
  const domain = normalizeDomain(address.slice(address.lastIndexOf('@') + 1))
  return domain === '' ? unclear('no domain name in From') : { kind: 'address', address, domain }
}

function addressIn(value: string): string | undefined {
  if (/\p{Cc}/u.test(value.replaceAll('\t', ' '))) return undefined
  const plain = withoutComments(value)?.trim()
  const match = plain === undefined ? null : MAILBOX.exec(plain)
  return match?.[1] ?? match?.[2]
}

/** Without comments (RFC 5322 section 3.2.2); undefined when one, or a quoted string, has no end. */
function withoutComments(value: string): string | undefined {
  let depth = 0
  let isQuoted = false
  let kept = ''
  for (let at = 0; at < value.length; at++) {
    const letter = value[at]!
    const taken = letter === '\\' && (isQuoted || depth > 0) ? value.slice(at, ++at + 1) : letter
    if (letter === '"' && depth === 0) isQuoted = !isQuoted
    if (letter === '(' && !isQuoted) depth++
    if (depth === 0) kept += taken
    if (letter === ')' && !isQuoted && --depth < 0) return undefined
    if (letter === ')' && depth === 0 && !isQuoted) kept += ' '
  }
  return depth === 0 && !isQuoted ? kept : undefined
}

function domainsIn(values: string[]): string[] {
  const named = values.flatMap((value) => [...value.matchAll(NAMED_DOMAIN)].map((match) => normalizeDomain(match[1]!)))
  return [...new Set(named.filter((domain) => domain !== ''))].slice(0, MOST_DOMAINS)
}
