// Cuts the octets that a client sends into lines, holding no more than one bounded unfinished line.

export type Line = { kind: 'line'; octets: Buffer } | { kind: 'too-long' }

const LF = 0x0a
const CR = 0x0d
const EMPTY = Buffer.alloc(0)

/** Lines end with CRLF; a bare LF is taken too, as a person at a terminal sends it. */
export class LineBuffer {
  #pending: Buffer = EMPTY
  #isSkipping = false
  readonly #maxOctets: number

  /** @param maxOctets the longest line, without its line end */
  constructor(maxOctets: number) {
    this.#maxOctets = maxOctets
  }

  /** Adds received octets. To be called only after `next` has found no further line. */
  push(octets: Buffer): void {
    this.#pending = this.#pending.length === 0 ? octets : Buffer.concat([this.#pending, octets])
  }

  /** The next whole line without its line end, or undefined when more octets are needed. */
  next(): Line | undefined {
    const end = this.#pending.indexOf(LF)
    if (end < 0) {
      this.#dropEndless()
      return undefined
    }
    const isTooLong = this.#isSkipping || end > this.#maxOctets + 1
    const octets = this.#pending.subarray(0, end > 0 && this.#pending[end - 1] === CR ? end - 1 : end)
    this.#pending = end + 1 === this.#pending.length ? EMPTY : this.#pending.subarray(end + 1)
    this.#isSkipping = false
    return isTooLong || octets.length > this.#maxOctets ? { kind: 'too-long' } : { kind: 'line', octets }
  }

  /** Forgets everything received so far. */
  clear(): void {
    this.#pending = EMPTY
    this.#isSkipping = false
  }

  #dropEndless(): void {
    if (this.#pending.length <= this.#maxOctets + 1) return
    this.#pending = EMPTY
    this.#isSkipping = true
  }
}
