// Walks a mail through every reading that a mail client might have of it, and hands out what an attachment or a body
// would be in each. What only one reading has is marked: clamd, which reads MIME itself, has seen it in the raw mail.
import { hash } from 'node:crypto'
import type { UnscannableReason } from '../verdict.ts'
import { readAppleFile } from './apple-file.ts'
import type { Reading } from './base64.ts'
import { readBinHex } from './binhex.ts'
import { boundariesOf } from './boundaries.ts'
import { readCalendarFiles } from './calendar-file.ts'
import { readAnyhow, readBody } from './decoders.ts'
import { type Entity, readEntity } from './entity.ts'
import { isEncryptedPart, isFragment, mediaType } from './media-type.ts'
import { openSignedData } from './signed-data.ts'
import { type Split, sniffBoundaries, splitMultipart } from './split.ts'
import { readUuencoded } from './uuencode.ts'
import { readYEnc } from './yenc.ts'

/** A decoded leaf. `isPlain`: only one reading of it exists, so a scanner that decodes the raw mail has seen it as well. */
export interface Part {
  bytes: Buffer
  contentType: string
  /** The Content-Type fields as they stand. */
  contentTypes: string[]
  isPlain: boolean
}

export interface WalkLimits {
  /** Multiparts and mails within one another. */
  depth: number
  parts: number
  /** Octets of all parts together. */
  decodedBytes: number
  /** Octets that are looked at, each as often as it is. */
  workBytes: number
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

export interface WalkOptions {
  limits: WalkLimits
  /** Called for what can't be looked into. */
  onObstacle?: (reason: UnscannableReason) => void
  /** Called often; may throw to end the walk. */
  onStep?: () => void
}

/** Hands out every part of every reading. @throws WalkLimitReached */
export function mailParts(mail: Buffer, options: WalkOptions): Iterable<Part> {
  return new Walk(options).entity(mail, 0, true)
}

/** What clamd looks into wherever it stands in the mail: it leaves parts of others out, also of multipart/related. */
const PLAIN_MULTIPARTS = new Set(['multipart/mixed', 'multipart/alternative'])
const PLAIN_DEPTH = 3

class Walk {
  #options: WalkOptions
  #parts = 0
  #decodedBytes = 0
  #workBytes = 0
  #seen = new Set<string>()

  constructor(options: WalkOptions) {
    this.#options = options
  }

  /** @param isTrusted clamd finds the way here. */
  *entity(bytes: Buffer, depth: number, isTrusted: boolean): Iterable<Part> {
    if (depth > this.#options.limits.depth) throw new WalkLimitReached('depth')
    this.#work(bytes.length)
    if (!isTrusted && this.#isSeen('entity', bytes)) return
    const readings = readEntity(bytes)
    const isOnly = readings.length === 1
    for (const reading of readings) yield* this.#reading(reading, depth, isTrusted && isOnly, isOnly && reading.isPlain)
    if (!isOnly) yield* this.#anyhow(bytes, depth)
  }

  /** @param isOnly nobody reads it in another way. */
  *#reading(entity: Entity, depth: number, isTrusted: boolean, isOnly: boolean): Iterable<Part> {
    const contentType = mediaType(entity.contentTypes[0])
    if (isFragment(entity.contentTypes)) this.#options.onObstacle?.('damaged')
    if (isEncryptedPart(contentType)) this.#options.onObstacle?.('encrypted')
    const boundaries = boundariesOf(entity.contentTypes)
    const isMultipart = contentType.startsWith('multipart/')
    if (isOnly && isMultipart && boundaries.isPlain && entity.encodings.length === 0) {
      const split = splitMultipart(entity.body, boundaries.candidates[0]!, false)
      const isSeen = isTrusted && PLAIN_MULTIPARTS.has(contentType) && depth < PLAIN_DEPTH
      if (split.isOrdinary) return yield* this.#ordinaryMultipart(entity.body, split, depth, isSeen)
    }
    const { candidates } = boundaries
    const isUntyped = entity.contentTypes.length === 0 && sniffBoundaries(entity.body).length > 0
    const isOdd = isMultipart || candidates.length > 0 || isUntyped
    for (const { bytes, isPlain: isDecodedPlain } of readBody(entity.body, entity.encodings)) {
      if (isOdd) yield* this.#multipart(bytes, candidates, depth)
      const isPlain = isTrusted && isOnly && isDecodedPlain && !isOdd
      yield* this.#leaf({ bytes, contentType, contentTypes: entity.contentTypes, isPlain }, depth)
      if (isOdd || !isOnly) yield* this.#anyhow(bytes, depth)
    }
  }

  *#ordinaryMultipart(body: Buffer, { parts, outside }: Split, depth: number, isTrusted: boolean): Generator<Part> {
    this.#work(body.length)
    for (const part of parts) yield* this.entity(part, depth + 1, isTrusted)
    for (const bytes of outside) yield* this.#files(bytes, depth)
  }

  /** A multipart in every way that it may be cut. */
  *#multipart(body: Buffer, candidates: string[], depth: number): Iterable<Part> {
    for (const boundary of new Set([...candidates, ...sniffBoundaries(body)])) {
      this.#work(body.length)
      const strict = splitMultipart(body, boundary, false)
      const splits = strict.isOrdinary ? [strict] : [strict, splitMultipart(body, boundary, true)]
      for (const { parts, outside } of splits) {
        for (const part of parts) yield* this.entity(part, depth + 1, false)
        for (const bytes of outside) yield* this.#files(bytes, depth)
      }
    }
  }

  *#leaf(part: Part, depth: number): Iterable<Part> {
    if (part.bytes.length === 0 || (!part.isPlain && this.#isSeen('leaf', part.bytes))) return
    this.#count(part.bytes.length)
    yield part
    if (isMail(part)) yield* this.entity(part.bytes, depth + 1, false)
    yield* this.#files(part.bytes, depth)
  }

  /** What is encoded in a text without MIME, or wrapped in a format of mail programs. */
  *#files(bytes: Buffer, depth: number): Iterable<Part> {
    const signed = openSignedData(bytes)
    if (signed?.kind === 'encrypted') this.#options.onObstacle?.('encrypted')
    if (signed?.kind === 'content') yield* this.entity(signed.bytes, depth + 1, false)
    for (const read of [readUuencoded, readYEnc, readBinHex, readAppleFile, readCalendarFiles])
      for (const file of read(bytes)) yield* this.#leaf(found(file), depth)
  }

  *#anyhow(bytes: Buffer, depth: number): Iterable<Part> {
    this.#work(bytes.length)
    for (const reading of readAnyhow(bytes)) yield* this.#leaf(found(reading.bytes), depth)
  }

  #isSeen(kind: string, bytes: Buffer): boolean {
    const key = `${kind} ${hash('sha1', bytes, 'base64')}`
    if (this.#seen.has(key)) return true
    this.#seen.add(key)
    return false
  }

  #work(sizeBytes: number): void {
    this.#options.onStep?.()
    this.#workBytes += sizeBytes
    if (this.#workBytes > this.#options.limits.workBytes) throw new WalkLimitReached('size')
  }

  #count(sizeBytes: number): void {
    this.#work(sizeBytes)
    this.#parts++
    this.#decodedBytes += sizeBytes
    const { parts, decodedBytes } = this.#options.limits
    if (this.#parts > parts || this.#decodedBytes > decodedBytes) throw new WalkLimitReached('size')
  }
}

function found(bytes: Reading['bytes']): Part {
  return { bytes, contentType: '', contentTypes: [], isPlain: false }
}

/** A mail by its type, or one that is not announced as such but begins with fields of one. */
export function isMail({ bytes, contentType }: Pick<Part, 'bytes' | 'contentType'>): boolean {
  if (/^(?:message\/(?!delivery-status|disposition|feedback)|text\/rfc822)/.test(contentType)) return true
  return beginsLikeMail(bytes)
}

/** Whether octets of no known type are a mail, by fields of one at their start. */
export function beginsLikeMail(bytes: Buffer): boolean {
  const start = bytes.toString('latin1', 0, 2_000)
  return /^\s*(?:>?From .*\r?\n)?[!-9;-~]+\s*:/.test(start) && /\n\s*content-t[a-z-]+\s*:|^content-t/i.test(start)
}
