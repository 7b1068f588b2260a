// Address fields for a client that knows no UTF-8 (RFC 6858 section 2.1): a name becomes encoded words, an address that can't
// be written in ASCII is shown in the name and replaced by one that leads nowhere.
import { normalizeDomain } from './address.ts'
import { encodedWords } from './encoded-word.ts'

const NOWHERE = 'invalid@internationalized-address.invalid'
const ASCII = /^\p{ASCII}*$/u
/**
 * Quoted strings, comments (one level), addresses in angle brackets; all else is one character a token. One that does not
 * end goes as far as it can, so that each character is looked at once.
 */
const TOKEN = /"(?:[^"\\]|\\.)*"?|\((?:[^()\\]|\\.)*\)?|<[^<>]*>?|[\s\S]/gu

/** A list of addresses and groups (RFC 5322 section 3.4), unfolded. */
export function surrogateAddresses(text: string): string {
  const parts: string[] = []
  let part: string[] = []
  for (const [token] of text.matchAll(TOKEN)) {
    if (token !== ',' && token !== ';' && token !== ':') {
      part.push(token)
      continue
    }
    parts.push(`${token === ':' ? surrogatePhrase(part) : surrogateMailbox(part)}${token}`)
    part = []
  }
  return [...parts, surrogateMailbox(part)].join('\r\n ').trimEnd()
}

/** A reverse-path: an address alone. */
export function surrogatePath(text: string): string {
  return `<${asciiAddress(text.replace(/^<|>$/g, '')) ?? NOWHERE}>`
}

function surrogateMailbox(tokens: string[]): string {
  const text = tokens.join('').trim()
  if (ASCII.test(text)) return text
  const bracketed = tokens.findLast((token) => token.startsWith('<'))
  const isComment = (token: string) => token.startsWith('(')
  const address = bracketed?.replace(/^<|>$/g, '') ?? tokens.filter((token) => !isComment(token)).join('')
  const name =
    bracketed === undefined
      ? tokens.filter(isComment).map((comment) => comment.replace(/^\(|\)$/g, ''))
      : tokens.slice(0, tokens.lastIndexOf(bracketed)).filter((token) => !isComment(token))
  return surrogateNameAddress(plainText(name), address.trim())
}

function surrogateNameAddress(name: string, address: string): string {
  const ascii = asciiAddress(address)
  const shown = ascii === undefined ? `${name} <${address}>`.trim() : name
  const phrase = ASCII.test(shown) ? quoted(shown) : encodedWords(shown)
  return `${phrase}${phrase === '' ? '' : '\r\n '}<${ascii ?? NOWHERE}>`
}

function surrogatePhrase(tokens: string[]): string {
  const text = tokens.join('').trim()
  return ASCII.test(text) ? text : encodedWords(plainText(tokens))
}

/** The same address in ASCII; undefined when its local part is none. */
function asciiAddress(address: string): string | undefined {
  const at = address.lastIndexOf('@')
  const local = address.slice(0, Math.max(at, 0))
  if (ASCII.test(address)) return address
  const domain = normalizeDomain(address.slice(at + 1))
  return ASCII.test(local) && local !== '' && domain !== '' ? `${local}@${domain}` : undefined
}

/** What the tokens mean. */
function plainText(tokens: string[]): string {
  const text = tokens.map((token) => (token.startsWith('"') ? unquoted(token) : token))
  return text.join('').trim()
}

/** A quoted string without its quotes, whether its end is there or not (RFC 5322 section 3.2.4). */
export function unquoted(text: string): string {
  return text.replace(/^"|"$/g, '').replace(/\\(.)/gu, '$1')
}

function quoted(text: string): string {
  return text === '' ? '' : `"${text.replace(/["\\]/g, '\\$&')}"`
}
