// A mail with UTF-8 in its header fields (RFC 6532) for a client that knows no UTF-8: the same mail with headers in ASCII, its
// own and those of its parts (RFC 6856 section 2.1, RFC 6858). All else stays as it is.
import { isAscii } from 'node:buffer'
import { withoutStruck } from './delivered.ts'
import { headerEnd } from './header.ts'
import { surrogateHeader } from './surrogate-header.ts'
import { type Body, bodyWithSurrogateParts } from './surrogate-parts.ts'

/** A longer header is none; edges refuse it long before. */
const HEADER_MAX_BYTES = 524_288

/**
 * By how many octets the surrogate of a mail as delivered is longer (or shorter) than it; undefined when it needs none. `head`
 * is the original's header section, `partsGrowth` that of its body (`surrogatePartsGrowth`).
 */
export function surrogateGrowth(
  added: Buffer,
  head: Buffer,
  struck: readonly number[],
  partsGrowth: number,
): number | undefined {
  const growth = isAscii(added) && isAscii(head) ? undefined : headerGrowth(added, head, struck)
  return partsGrowth === 0 ? growth : (growth ?? 0) + partsGrowth
}

function headerGrowth(added: Buffer, head: Buffer, struck: readonly number[]): number | undefined {
  const header = Buffer.concat([added, withoutStruck(head, struck)])
  const surrogate = header.length > HEADER_MAX_BYTES ? undefined : surrogateHeader(header)
  return surrogate && surrogate.length - header.length
}

/**
 * The surrogate of a mail as delivered, chunk by chunk; what needs no change passes uncopied. What its `growth` was found to be
 * at delivery tells whether its parts have anything to change.
 */
export async function* asSurrogate(message: AsyncIterable<Buffer>, growth?: number): AsyncIterable<Buffer> {
  let head: Buffer = Buffer.alloc(0)
  let body: Body | undefined
  for await (const chunk of message) {
    if (body !== undefined) {
      yield* body.push(chunk)
      continue
    }
    head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
    const end = headerEnd(head)
    if (end < 0 && head.length <= HEADER_MAX_BYTES) continue
    const section = head.subarray(0, end > HEADER_MAX_BYTES ? 0 : Math.max(end, 0))
    const surrogate = surrogateHeader(section) ?? section
    const isGrown = growth === undefined || growth === surrogate.length - section.length
    body = isGrown ? AS_IS : bodyWithSurrogateParts(section)
    yield surrogate
    yield* body.push(head.subarray(section.length))
  }
  if (body === undefined) yield surrogateHeader(head) ?? head
  else yield* body.end()
}

const AS_IS: Body = { push: (chunk) => [chunk], end: () => [] }
