// The content of DATA on its way in (RFC 5321 sections 4.1.1.4, 4.5.2 and 2.3.8): nothing but CRLF.CRLF ends it, and a
// dot is taken away at the start of a line only, so that no server before or behind us sees another end than we do.

export type LineFault = 'bare-cr' | 'bare-lf' | 'nul' | 'long-line'

export interface LineRules {
  /** Whether a line that ends in LF alone breaks the rules or is given the CR that it lacks. */
  bareLf: 'refuse' | 'repair'
  /** Octets of a line without its CRLF. */
  maxLineBytes: number
}

const CR = 0x0d
const LF = 0x0a
const DOT = 0x2e
const NOTHING = Buffer.alloc(0)
const CRLF = Buffer.from('\r\n')

export class DotDecoder {
  /** The first rule that the content broke; from then on only its end is looked for. */
  fault: LineFault | undefined
  readonly #rules: LineRules
  /** What stands before the next octet: CRLF (or the start), a repaired LF, or a part of the same line. */
  #before: 'crlf' | 'lf' | 'line' = 'crlf'
  #lineBytes = 0
  /** Octets that only the next chunk can explain: "\r", ".", or ".\r" at the start of a line. */
  #held: Buffer = NOTHING

  constructor(rules: LineRules) {
    this.#rules = rules
  }

  /** Decodes a chunk. `rest` is what follows the end of the content; without it the content goes on. */
  add(chunk: Buffer): { content: Buffer; rest?: Buffer } {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, chunk]) : chunk
    const bareCr = new Octet(bytes, CR)
    const nul = new Octet(bytes, 0)
    const pieces: Buffer[] = []
    let from = 0
    let at = 0
    let isEnd = false
    while (at < bytes.length) {
      if (bytes[at] === DOT && this.#before === 'crlf') {
        const kind = dotAt(bytes, at)
        isEnd = kind === 'end'
        if (kind !== 'stuffed') break
        pieces.push(bytes.subarray(from, at))
        from = ++at
        this.#before = 'line'
      }
      const lf = bytes.indexOf(LF, at)
      const isCrlf = lf > 0 && bytes[lf - 1] === CR
      const textEnd = lf >= 0 ? lf - Number(isCrlf) : bytes.length - Number(bytes.at(-1) === CR)
      if (textEnd > at) {
        this.#before = 'line'
        this.#lineBytes += textEnd - at
        if (bareCr.isWithin(at, textEnd)) this.fault ??= 'bare-cr'
        else if (nul.isWithin(at, textEnd)) this.fault ??= 'nul'
        else if (this.#lineBytes > this.#rules.maxLineBytes) this.fault ??= 'long-line'
      }
      at = lf >= 0 ? lf + 1 : textEnd
      if (lf < 0) break
      if (!isCrlf) {
        if (this.#rules.bareLf === 'refuse') this.fault ??= 'bare-lf'
        else pieces.push(bytes.subarray(from, lf), CRLF)
        from = at
      }
      this.#before = isCrlf ? 'crlf' : 'lf'
      this.#lineBytes = 0
    }
    this.#held = isEnd ? NOTHING : bytes.subarray(at)
    const content = this.fault === undefined ? joined(pieces, bytes.subarray(from, at)) : NOTHING
    return isEnd ? { content, rest: bytes.subarray(at + 3) } : { content }
  }
}

/** Where an octet stands next in a chunk; each octet of the chunk is looked at once. */
class Octet {
  readonly #bytes: Buffer
  readonly #value: number
  #next = -1

  constructor(bytes: Buffer, value: number) {
    this.#bytes = bytes
    this.#value = value
  }

  isWithin(start: number, end: number): boolean {
    if (this.#next < start) {
      const found = this.#bytes.indexOf(this.#value, start)
      this.#next = found < 0 ? Number.POSITIVE_INFINITY : found
    }
    return this.#next < end
  }
}

/** What a dot at the start of a line is; `unknown` when the chunk ends too early to tell. */
function dotAt(bytes: Buffer, at: number): 'end' | 'stuffed' | 'unknown' {
  const next = bytes[at + 1]
  if (next === undefined) return 'unknown'
  if (next !== CR) return 'stuffed'
  const afterNext = bytes[at + 2]
  if (afterNext === undefined) return 'unknown'
  return afterNext === LF ? 'end' : 'stuffed'
}

function joined(pieces: Buffer[], last: Buffer): Buffer {
  return pieces.length === 0 ? last : Buffer.concat([...pieces, last])
}
