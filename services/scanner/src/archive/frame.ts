// One file while archives are looked for in it: which places are still to be read, and which were explained.
import type { Candidate, Format } from './signatures.ts'
import { ZipIndex } from './zip-index.ts'

/** Octets by which a header inside an archive is recognised as the one that a member of it shows. */
const KEY_BYTES = 20

interface Cover {
  from: number
  to: number
  own: Format | undefined
}

export class Frame {
  readonly bytes: Buffer
  readonly zip = new ZipIndex()
  /** An archive was read from the start of the file. */
  isArchive = false
  hasTrouble = false
  #candidates: Candidate[]
  #covers: Cover[] = []
  #coveredTo = 0
  #claimed = new Set<string>()
  #shown = new Set<string>()

  constructor(bytes: Buffer, candidates: Candidate[]) {
    this.bytes = bytes
    this.#candidates = candidates
  }

  /** The places to read: first those in the open, then those inside what was read and that no member explains. */
  *places(): Generator<Candidate> {
    const inside: Candidate[] = []
    for (const candidate of this.#candidates) {
      if (this.#claimed.has(keyOf(candidate))) continue
      const cover = this.#coverOf(candidate)
      if (cover === undefined) yield candidate
      else if (cover.own !== candidate.format) inside.push(candidate)
    }
    for (const candidate of inside)
      if (!this.#claimed.has(keyOf(candidate)) && !this.#shown.has(headerAt(this.bytes, candidate.at))) yield candidate
  }

  claim(format: Format, at: number): void {
    this.#claimed.add(keyOf({ format, at }))
  }

  /** @param own the format of what covers, when its own headers look like archives. */
  cover(from: number, to: number, own?: Format): void {
    this.#covers.push({ from, to, own })
    this.#coveredTo = Math.max(this.#coveredTo, to)
  }

  /** A member of this file holds these. */
  show(member: Buffer, candidates: Candidate[]): void {
    if (this.#candidates.length < 2) return
    for (const { at } of candidates) this.#shown.add(headerAt(member, at))
  }

  /** Places come from the front to the back, so what covers one was read just before. */
  #coverOf({ at }: Candidate): Cover | undefined {
    if (at >= this.#coveredTo) return undefined
    return this.#covers.findLast(({ from, to }) => at >= from && at < to)
  }
}

function headerAt(bytes: Buffer, at: number): string {
  return bytes.toString('latin1', at, at + KEY_BYTES)
}

function keyOf({ format, at }: Candidate): string {
  return `${format} ${at}`
}
