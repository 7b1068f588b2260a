// One file while archives are looked for in it: which places are still to be read, and which were explained.
import { hash } from 'node:crypto'
import type { Candidate, Format } from './signatures.ts'
import { ZipIndex } from './zip-index.ts'

/** Octets by which a header inside an archive is recognised as one that a member of it shows. */
const KEY_BYTES = 20
/** Headers of a member by which it is looked for. */
const KEYS_OF_MEMBER = 8
/** How many times a file's length is hashed at most to find its members in it. */
const HASH_SHARE = 4

export interface Place extends Candidate {
  /** A member seems to show it, though not as it stands here: read, but damage there means nothing. */
  isDoubtful: boolean
}

interface Cover {
  from: number
  to: number
  /** The format of what covers, when its own headers look like archives. */
  own: Format | undefined
}

/** A member with a header `offset` octets after its start. */
interface Shown {
  offset: number
  length: number
  hash: string
}

export class Frame {
  readonly bytes: Buffer
  readonly zip = new ZipIndex()
  readonly doubtfulZip = new ZipIndex()
  /** An archive was read from the start of the file. */
  isArchive = false
  hasTrouble = false
  /** It, or something in it, becomes too large or takes too long. */
  isBomb = false
  #candidates: Candidate[]
  #covers: Cover[] = []
  #coveredTo = 0
  #claimed = new Set<string>()
  #shown = new Map<string, Shown[]>()
  #explainedTo = 0
  #hashableBytes: number

  constructor(bytes: Buffer, candidates: Candidate[]) {
    this.bytes = bytes
    this.#candidates = candidates
    this.#hashableBytes = HASH_SHARE * bytes.length
  }

  /** The places to read: first those in the open, then those inside what was read and that no member explains. */
  *places(): Generator<Place> {
    const inside: Candidate[] = []
    for (const candidate of this.#candidates) {
      if (this.#claimed.has(keyOf(candidate))) continue
      const cover = this.#coverOf(candidate)
      if (cover === undefined) yield { ...candidate, isDoubtful: false }
      else if (cover.own !== candidate.format) inside.push(candidate)
    }
    for (const candidate of inside) {
      if (candidate.at < this.#explainedTo || this.#claimed.has(keyOf(candidate))) continue
      const shown = this.#shown.get(headerAt(this.bytes, candidate.at))
      if (shown === undefined) yield { ...candidate, isDoubtful: false }
      else if (!this.#isExplained(candidate, shown)) yield { ...candidate, isDoubtful: true }
    }
  }

  claim(format: Format, at: number): void {
    this.#claimed.add(keyOf({ format, at }))
  }

  /** @param own the format of what covers, when its own headers look like archives. */
  cover(from: number, to: number, own?: Format): void {
    this.#covers.push({ from, to, own })
    this.#coveredTo = Math.max(this.#coveredTo, to)
  }

  /** A member of this file with what looks like archives in it. */
  show(member: Buffer, candidates: Candidate[], memberHash: string): void {
    if (this.#candidates.length < 2) return
    for (const [i, { at }] of candidates.entries()) {
      const key = headerAt(member, at)
      const known = this.#shown.get(key) ?? []
      const shown = { offset: at, length: member.length, hash: memberHash }
      if (i < KEYS_OF_MEMBER) this.#shown.set(key, [shown, ...known].slice(0, KEYS_OF_MEMBER))
      else if (known.length === 0) this.#shown.set(key, known)
    }
  }

  /** Whether a whole member stands here octet by octet, so that all in it was looked at. */
  #isExplained({ at }: Candidate, shown: Shown[]): boolean {
    return shown.some(({ offset, length, hash: expected }) => {
      const from = at - offset
      this.#hashableBytes -= length
      if (from < 0 || from + length > this.bytes.length || this.#hashableBytes < 0) return false
      if (hashOf(this.bytes.subarray(from, from + length)) !== expected) return false
      this.#explainedTo = Math.max(this.#explainedTo, from + length)
      return true
    })
  }

  /** Places come from the front to the back, so what covers one was read just before. */
  #coverOf({ at }: Candidate): Cover | undefined {
    if (at >= this.#coveredTo) return undefined
    return this.#covers.findLast(({ from, to }) => at >= from && at < to)
  }
}

export function hashOf(bytes: Buffer): string {
  return hash('sha256', bytes, 'base64')
}

function headerAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, at + KEY_BYTES)
}

function keyOf({ format, at }: Candidate): string {
  return `${format} ${at}`
}
