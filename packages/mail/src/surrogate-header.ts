// A header section in ASCII for a client that knows no UTF-8 (RFC 6858); fields whose octets are no UTF-8, of no known charset,
// stay as they are.
import { isAscii, isUtf8 } from 'node:buffer'
import { encodedParameter, encodedWords } from './encoded-word.ts'
import { type HeaderField, parseHeader, unfold } from './header.ts'
import { PARAMETER } from './multipart.ts'
import { surrogateAddresses, surrogatePath, unquoted } from './surrogate-address.ts'

const ADDRESSES = /^(?:resent-)?(?:from|sender|reply-to|to|cc|bcc)$|^(?:disposition-notification|return-receipt)-to$/
const TEXT = /^(?:subject|comments|keywords|content-description|thread-topic|x-.*)$/
const PARAMETERS = /^content-(?:type|disposition)$/
/** Ours: what they say must not get lost with one character of an address. */
const VERDICTS = /^(?:authentication-results|received-spf)$/

/** The header section in ASCII; undefined when it stays as it is. */
export function surrogateHeader(header: Buffer): Buffer | undefined {
  if (isAscii(header)) return undefined
  const parts: Buffer[] = []
  let at = 0
  let isChanged = false
  const keep = (octets: Buffer) => {
    // Between two fields there is nothing that a client would miss.
    if (isAscii(octets)) parts.push(octets)
    else isChanged = true
  }
  for (const field of parseHeader(header)) {
    keep(header.subarray(at, field.start))
    at = field.end
    const octets = header.subarray(field.start, field.end)
    if (isAscii(octets) || !isUtf8(octets)) parts.push(octets)
    else {
      parts.push(Buffer.from(surrogateField(field, octets)))
      isChanged = true
    }
  }
  keep(header.subarray(at))
  return isChanged ? Buffer.concat(parts) : undefined
}

/** The field's lines in ASCII; nothing when it has no such form (RFC 6858 section 2.4). */
function surrogateField({ name, value }: HeaderField, octets: Buffer): string {
  const text = unfold(value)
  const shown = octets.toString('latin1', 0, octets.indexOf(':'))
  const line = (content: string) => `${shown}: ${content}\r\n`
  if (ADDRESSES.test(name)) return line(surrogateAddresses(text))
  if (name === 'return-path') return line(surrogatePath(text))
  if (TEXT.test(name)) return line(encodedWords(text))
  if (PARAMETERS.test(name)) return surrogateParameters(text, line)
  return VERDICTS.test(name) ? line(text.replace(/\P{ASCII}/gu, '?')) : ''
}

function surrogateParameters(text: string, line: (content: string) => string): string {
  const inAscii = text.replace(PARAMETER, (parameter, name: string, value: string) => {
    if (/^\p{ASCII}*$/u.test(parameter)) return parameter
    const plain = value.startsWith('"') ? unquoted(value) : value.trim()
    return /^[!-~]+$/.test(name) ? `;\r\n ${encodedParameter(name, plain)}` : ''
  })
  // Nothing is just left out: what has been no token must not become one.
  return line(inAscii.replace(/\P{ASCII}/gu, '?'))
}
