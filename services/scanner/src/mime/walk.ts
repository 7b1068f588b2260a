// Walks a mail through every reading that a mail client might have of it, and hands out what an attachment or a body
// decodes to. A mail that is written by the rules has one reading; a broken one has several, and all are handed out.
import { type Reading, readBase64 } from './base64.ts'
import { boundariesOf } from './boundaries.ts'
import { type Entity, readEntity } from './entity.ts'
import { readQuotedPrintable } from './quoted-printable.ts'
import { readUuencoded } from './uuencode.ts'

/** A decoded leaf. `isPlain`: only one reading of it exists, so a scanner that decodes the raw mail has seen it as well. */
export interface Part {
  bytes: Buffer
  contentType: string
  isPlain: boolean
}

export interface WalkLimits {
  /** Multiparts and mails within one another. */
  depth: number
  parts: number
  /** Octets of all parts together. */
  decodedBytes: number
}

/** The mail has more to it than the limits allow to be looked at. */
export class WalkLimitReached extends Error {
  override name = 'WalkLimitReached'
  readonly reason: 'depth' | 'size'

  constructor(reason: 'depth' | 'size') {
    super(`MIME ${reason}`)
    this.reason = reason
  }
}

/** Hands out every part of every reading. @throws WalkLimitReached */
export function walkMail(mail: Buffer, limits: WalkLimits): Iterable<Part> {
  return new Walk(limits).entity(mail, 0, true)
}

class Walk {
  #limits: WalkLimits
  #parts = 0
  #decodedBytes = 0
  #seen = new Set<string>()

  constructor(limits: WalkLimits) {
    this.#limits = limits
  }

  *entity(bytes: Buffer, depth: number, isPlain: boolean): Iterable<Part> {
    if (depth > this.#limits.depth) throw new WalkLimitReached('depth')
    const readings = readEntity(bytes)
    for (const reading of readings)
      yield* this.#reading(reading, depth, isPlain && reading.isPlain && readings.length === 1)
  }

  *#reading(entity: Entity, depth: number, isPlain: boolean): Iterable<Part> {
    const contentType = mediaType(entity.contentTypes[0])
    const { candidates, isPlain: isBoundaryPlain } = boundariesOf(entity.contentTypes)
    if (candidates.length > 0) {
      const isOnlyMultipart = contentType.startsWith('multipart/') && isBoundaryPlain
      for (const boundary of candidates)
        yield* this.#multipart(entity.body, boundary, depth, isPlain && isOnlyMultipart)
      if (isPlain && isOnlyMultipart) return
    }
    const decoders = decodersFor(entity)
    for (const { bytes, isPlain: isDecodedPlain } of decoders.readings(entity.body)) {
      const isLeafPlain = isPlain && decoders.isPlain && isDecodedPlain && candidates.length === 0
      yield* this.#leaf({ bytes, contentType, isPlain: isLeafPlain }, depth, entity)
    }
  }

  *#multipart(body: Buffer, boundary: string, depth: number, isPlain: boolean): Iterable<Part> {
    const { parts, outside, isOrdinary } = splitMultipart(body, boundary)
    for (const part of parts) yield* this.entity(part, depth + 1, isPlain && isOrdinary)
    for (const bytes of outside)
      for (const file of readUuencoded(bytes))
        yield* this.#leaf({ bytes: file, contentType: '', isPlain: false }, depth)
  }

  *#leaf(part: Part, depth: number, entity?: Entity): Iterable<Part> {
    if (part.bytes.length === 0 || this.#isSeen(part)) return
    this.#count(part.bytes.length)
    yield part
    if (/^message\/(?!delivery-status|disposition)/.test(part.contentType) || looksLikeMail(part.bytes, entity)) {
      yield* this.entity(part.bytes, depth + 1, part.isPlain)
    }
    for (const bytes of readUuencoded(part.bytes)) yield* this.#leaf({ bytes, contentType: '', isPlain: false }, depth)
  }

  #isSeen({ bytes, isPlain }: Part): boolean {
    if (isPlain) return false
    const key = `${bytes.length}:${bytes.toString('latin1', 0, 64)}:${bytes.toString('latin1', Math.max(0, bytes.length - 64))}:${sum(bytes)}`
    if (this.#seen.has(key)) return true
    this.#seen.add(key)
    return false
  }

  #count(size: number): void {
    this.#parts++
    this.#decodedBytes += size
    if (this.#parts > this.#limits.parts || this.#decodedBytes > this.#limits.decodedBytes)
      throw new WalkLimitReached('size')
  }
}

function sum(bytes: Buffer): number {
  let total = 0
  for (const octet of bytes) total = (total * 31 + octet) | 0
  return total
}

function mediaType(value: string | undefined): string {
  return (value ?? '')
    .replace(/\([^()]*\)/g, '')
    .split(';')[0]!
    .replace(/[\s"]/g, '')
    .toLowerCase()
}

/** Nested mail that is not announced as such: begins with several header fields. */
function looksLikeMail(bytes: Buffer, entity: Entity | undefined): boolean {
  if (entity === undefined) return false
  const start = bytes.toString('latin1', 0, 2_000)
  return (
    /^(?:received|return-path|from|subject|mime-version|message-id|date|to|content-type)\s*:/i.test(start) &&
    /\ncontent-t[a-z-]+\s*:/i.test(`\n${start}`)
  )
}

interface Split {
  parts: Buffer[]
  /** Preamble and epilogue. */
  outside: Buffer[]
  isOrdinary: boolean
}

/** Cuts a body at its delimiter lines (RFC 2046 section 5.1.1); whatever begins with the delimiter counts as one. */
function splitMultipart(body: Buffer, boundary: string): Split {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  const parts: Buffer[] = []
  const outside: Buffer[] = []
  let from = 0
  let isInside = false
  let isOrdinary = false
  let isClosed = false
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + delimiter.length)) {
    if (at > 0 && body[at - 1] !== 0x0a) {
      isOrdinary = isOrdinary && !isAfterOddLine(body, at)
      continue
    }
    const lineEnd = body.indexOf(0x0a, at)
    const rest = body.toString('latin1', at + delimiter.length, lineEnd < 0 ? body.length : lineEnd).trimEnd()
    const piece = body.subarray(from, at)
    if (isInside) parts.push(piece)
    else outside.push(piece)
    isOrdinary = (rest === '' || rest === '--') && !isClosed
    isClosed ||= rest.startsWith('--')
    from = lineEnd < 0 ? body.length : lineEnd + 1
    // Some readers end at the closing delimiter, some go on: what follows is read as parts, too.
    isInside = true
    if (rest !== '' && rest !== '--') break
  }
  const last = body.subarray(from)
  if (isClosed) outside.push(last)
  if (last.length > 0) parts.push(last)
  return { parts, outside, isOrdinary: isOrdinary && isClosed && last.toString('latin1').trim() === '' }
}

function isAfterOddLine(body: Buffer, at: number): boolean {
  return body[at - 1] === 0x0d || body[at - 1] === 0x20 || body[at - 1] === 0x09
}

interface Decoders {
  isPlain: boolean
  readings: (body: Buffer) => Reading[]
}

const IDENTITY = new Set(['7bit', '8bit', 'binary'])

/** The decodings that some reader may apply: each encoding that is named, by the rules or nearly, and none at all. */
function decodersFor({ encodings }: Entity): Decoders {
  const names = encodings.map((value) => value.replace(/\r?\n[ \t]/g, ' ').trim())
  const [only] = names
  if (names.length === 0 || (names.length === 1 && IDENTITY.has(only!.toLowerCase()))) {
    return { isPlain: true, readings: (body) => [{ bytes: body, isPlain: true }, ...sniffed(body)] }
  }
  if (names.length === 1 && only!.toLowerCase() === 'base64') return { isPlain: true, readings: readBase64 }
  if (names.length === 1 && only!.toLowerCase() === 'quoted-printable')
    return { isPlain: true, readings: readQuotedPrintable }
  return { isPlain: false, readings: (body) => namedReadings(names, body) }
}

function namedReadings(names: string[], body: Buffer): Reading[] {
  const text = names.join(' ').toLowerCase()
  const first = [{ bytes: body, isPlain: false }]
  const base64 = /base|b64|64/.test(text) || text === '' ? readBase64(body) : []
  const quoted = /quoted|printable|qp/.test(text) ? readQuotedPrintable(body) : []
  // Two encodings may have been applied one after the other.
  const twice =
    names.length > 1
      ? [...base64, ...quoted].flatMap(({ bytes }) => [...sniffed(bytes), ...readQuotedPrintable(bytes)])
      : []
  return [...first, ...base64, ...quoted, ...twice, ...sniffed(body)]
}

/** A body that is nothing but base64, though the header does not say so: some readers decode it all the same. */
function sniffed(body: Buffer): Reading[] {
  if (body.length < 16 || /[^A-Za-z0-9+/=\r\n]/.test(body.toString('latin1', 0, 512))) return []
  const text = body.toString('latin1')
  return /^[A-Za-z0-9+/=\r\n]+$/.test(text) ? readBase64(body).map(({ bytes }) => ({ bytes, isPlain: false })) : []
}
