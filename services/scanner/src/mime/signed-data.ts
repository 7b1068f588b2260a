// The mail inside of a CMS object (S/MIME, RFC 8551 and RFC 5652): what is signed or compressed is taken out, what is
// encrypted is said to be.
import { inflateSync } from 'node:zlib'

export type Enclosed = { kind: 'content'; bytes: Buffer } | { kind: 'encrypted' }

const OID = {
  data: Buffer.from('06092a864886f70d010701', 'hex'),
  signed: Buffer.from('06092a864886f70d010702', 'hex'),
  enveloped: Buffer.from('06092a864886f70d010703', 'hex'),
  authEnveloped: Buffer.from('060b2a864886f70d0109100117', 'hex'),
  compressed: Buffer.from('060b2a864886f70d0109100109', 'hex'),
}
const TAG = { sequence: 0x30, octets: 0x04, constructedOctets: 0x24, explicit: 0xa0 }
/** An object's type stands at its start. */
const START_BYTES = 64
const LONGEST_INFLATED = 64 * 1024 * 1024
const DEEPEST = 8

/** What is inside; nothing when it is no CMS object. */
export function openSignedData(bytes: Buffer): Enclosed | undefined {
  if (bytes[0] !== TAG.sequence) return undefined
  const start = bytes.subarray(0, START_BYTES)
  if (start.includes(OID.enveloped) || start.includes(OID.authEnveloped)) return { kind: 'encrypted' }
  const isCompressed = start.includes(OID.compressed)
  if (!isCompressed && !start.includes(OID.signed)) return undefined
  const content = contentAfter(bytes, bytes.indexOf(OID.data))
  if (content === undefined) return undefined
  return { kind: 'content', bytes: isCompressed ? inflated(content) : content }
}

/** [0] EXPLICIT OCTET STRING behind the type "data"; in pieces when it is constructed. */
function contentAfter(bytes: Buffer, typeAt: number): Buffer | undefined {
  if (typeAt < 0) return undefined
  const outer = elementAt(bytes, typeAt + OID.data.length)
  if (outer?.tag !== TAG.explicit) return undefined
  const pieces = [...octetStrings(bytes, outer.from, outer.to, 0)]
  return pieces.length === 0 ? undefined : Buffer.concat(pieces)
}

function* octetStrings(bytes: Buffer, from: number, to: number, depth: number): Generator<Buffer, number> {
  let at = from
  while (at < to) {
    const element = elementAt(bytes, at)
    if (element === undefined || element.tag === 0) return at + 2
    if (element.tag === TAG.octets) yield bytes.subarray(element.from, element.to)
    else if (element.tag === TAG.constructedOctets && depth < DEEPEST) {
      const end = yield* octetStrings(bytes, element.from, element.to, depth + 1)
      at = element.isEndless ? end : element.to
      continue
    } else return element.to
    at = element.to
  }
  return at
}

interface Element {
  tag: number
  from: number
  to: number
  /** Of indefinite length (BER): its end is marked. */
  isEndless: boolean
}

function elementAt(bytes: Buffer, at: number): Element | undefined {
  const [tag, length] = [bytes[at], bytes[at + 1]]
  if (tag === undefined || length === undefined) return undefined
  if (length === 0x80) return { tag, from: at + 2, to: bytes.length, isEndless: true }
  if (length < 0x80) return { tag, from: at + 2, to: Math.min(at + 2 + length, bytes.length), isEndless: false }
  const count = length & 0x7f
  if (count > 4 || at + 2 + count > bytes.length) return undefined
  const from = at + 2 + count
  return { tag, from, to: Math.min(from + bytes.readUIntBE(at + 2, count), bytes.length), isEndless: false }
}

function inflated(content: Buffer): Buffer {
  try {
    return inflateSync(content, { maxOutputLength: LONGEST_INFLATED })
  } catch {
    return content // it is scanned as it is
  }
}
