// A mail with UTF-8 in its header fields (RFC 6532) for a client that knows no UTF-8: the same mail with a header in ASCII
// (RFC 6856 section 2.1, RFC 6858). The body stays as it is; so do fields whose octets are no UTF-8, of no known charset.
import { isAscii, isUtf8 } from 'node:buffer'
import { withoutStruck } from './delivered.ts'
import { encodedParameter, encodedWords } from './encoded-word.ts'
import { type HeaderField, headerEnd, parseHeader, unfold } from './header.ts'
import { surrogateAddresses, surrogatePath, unquoted } from './surrogate-address.ts'

/** A longer header is none; edges refuse it long before. */
const HEADER_MAX_BYTES = 524_288
const ADDRESSES = /^(?:resent-)?(?:from|sender|reply-to|to|cc|bcc)$|^(?:disposition-notification|return-receipt)-to$/
const TEXT = /^(?:subject|comments|keywords|content-description|thread-topic|x-.*)$/
const PARAMETERS = /^content-(?:type|disposition)$/
/** Ours: what they say must not get lost with one character of an address. */
const VERDICTS = /^(?:authentication-results|received-spf)$/
const PARAMETER = /;\s*([^\s=;"]+)\s*=\s*("(?:[^"\\]|\\.)*"?|[^;]*)/gu

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

/** Octets of the surrogate of a mail as delivered; undefined when it needs none. `head` is the original's header section. */
export function surrogateSize(
  added: Buffer,
  head: Buffer,
  struck: readonly number[],
  sizeBytes: number,
): number | undefined {
  if (isAscii(added) && isAscii(head)) return undefined
  const header = Buffer.concat([added, withoutStruck(head, struck)])
  const surrogate = header.length > HEADER_MAX_BYTES ? undefined : surrogateHeader(header)
  return surrogate && sizeBytes - header.length + surrogate.length
}

/** The mail with its header in ASCII, chunk by chunk; one that needs no change passes uncopied. */
export async function* asSurrogate(message: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let head: Buffer = Buffer.alloc(0)
  let isBody = false
  for await (const chunk of message) {
    if (isBody) {
      yield chunk
      continue
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    const end = headerEnd(head)
    isBody = end >= 0 || head.length > HEADER_MAX_BYTES
    if (isBody) yield* converted(head, end)
  }
  if (!isBody) yield* converted(head, head.length)
}

function* converted(head: Buffer, end: number): Iterable<Buffer> {
  const surrogate = end < 0 || end > HEADER_MAX_BYTES ? undefined : surrogateHeader(head.subarray(0, end))
  if (surrogate === undefined) return yield head
  yield surrogate
  if (end < head.length) yield head.subarray(end)
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
  return line(inAscii.replace(/\P{ASCII}/gu, ''))
}
