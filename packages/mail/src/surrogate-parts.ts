// The header sections of the parts inside a mail's body, for a client that knows no UTF-8 (RFC 6858 section 2.2), while the body
// streams by: no more is held than one line, or one part's header section.
import { isAscii } from 'node:buffer'
import { parseHeader } from './header.ts'
import { boundaryOf } from './multipart.ts'
import { surrogateHeader } from './surrogate-header.ts'

/** A longer header section of a part passes as it is, and what it contains as well. */
const HEADER_MAX_BYTES = 65_536
/** A delimiter has 70 characters, two hyphens before it and two behind, and perhaps white space (RFC 2046 section 5.1.1). */
const DELIMITER_MAX_BYTES = 512
const DEPTH_MAX = 10
/** Lines that may be delimiters; whoever sends more wants to keep us busy, and the rest passes as it is. */
const LINES_MAX = 20_000
const [LF, CR, HYPHEN] = [0x0a, 0x0d, 0x2d]
const HYPHENS_ON_NEW_LINE = Buffer.from('\n--')

/** A mail's body on its way: each chunk gives what is known to come out, the end gives the rest. */
export interface Body {
  push(chunk: Buffer): Iterable<Buffer>
  end(): Iterable<Buffer>
}

/**
 * The body of a mail with that header section, the headers of its parts in ASCII. Inside what is signed or encrypted, and inside
 * attached messages, which are documents of their own, nothing is touched.
 */
export function bodyWithSurrogateParts(header: Buffer): Body {
  return new PartHeaders(boundaryOf(header))
}

/** By how many octets the body of a mail is longer in that form. `content` gives the whole mail, which begins with `header`. */
export async function surrogatePartsGrowth(header: Buffer, content: () => AsyncIterable<Buffer>): Promise<number> {
  if (boundaryOf(header) === undefined) return 0
  const body = bodyWithSurrogateParts(header)
  let [growth, toSkip] = [0, header.length]
  for await (const chunk of content()) {
    const octets = chunk.subarray(Math.min(toSkip, chunk.length))
    toSkip -= chunk.length - octets.length
    growth -= octets.length
    for (const part of body.push(octets)) growth += part.length
  }
  for (const part of body.end()) growth += part.length
  return growth
}

/** What comes out does not depend on how the chunks are cut: sizes are counted before, with other ones. */
class PartHeaders implements Body {
  /** Those of the multiparts that have not ended, the outermost first. */
  readonly #boundaries: string[]
  #pending: Buffer = Buffer.alloc(0)
  #isLineStart = true
  #isHeader = false
  #linesLeft = LINES_MAX

  constructor(boundary: string | undefined) {
    this.#boundaries = boundary === undefined ? [] : [boundary]
  }

  *push(chunk: Buffer): Iterable<Buffer> {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk])
    for (;;) {
      const octets = this.#isHeader ? this.#takeHeader() : this.#takeToDelimiter()
      if (octets === undefined) break
      yield octets
    }
    if (!this.#isHeader) yield this.#takeUndoubted()
  }

  *end(): Iterable<Buffer> {
    yield this.#isHeader ? inAscii(this.#pending) : this.#pending
  }

  /** Up to the end of the next delimiter line; undefined when it has not come yet. */
  #takeToDelimiter(): Buffer | undefined {
    for (let at = this.#lineOfHyphens(0); at >= 0; ) {
      const lf = this.#pending.indexOf(LF, at)
      if (lf < 0) return undefined
      if (this.#linesLeft-- === 0) this.#boundaries.length = 0
      const delimiter = this.#delimiterAt(at, lf)
      if (delimiter !== undefined) {
        this.#boundaries.length = delimiter.isClosing ? delimiter.level : delimiter.level + 1
        this.#isHeader = !delimiter.isClosing
        return this.#take(lf + 1)
      }
      at = this.#lineOfHyphens(lf)
    }
    return undefined
  }

  #lineOfHyphens(from: number): number {
    if (this.#boundaries.length === 0) return -1
    const isFirst = from === 0 && this.#isLineStart && this.#pending[0] === HYPHEN && this.#pending[1] === HYPHEN
    return isFirst ? 0 : this.#pending.indexOf(HYPHENS_ON_NEW_LINE, from) + 1 || -1
  }

  /** All but a last line that could still become a delimiter. */
  #takeUndoubted(): Buffer {
    const start = this.#pending.lastIndexOf(LF) + 1
    const isLineStart = start > 0 || this.#isLineStart
    const [first = HYPHEN, second = HYPHEN] = this.#pending.subarray(start, start + 2)
    const sizeBytes = this.#pending.length - start
    const isDoubtful = isLineStart && first === HYPHEN && second === HYPHEN && sizeBytes <= DELIMITER_MAX_BYTES
    const octets = this.#take(isDoubtful ? start : this.#pending.length)
    this.#isLineStart = isDoubtful
    return octets
  }

  /** A part's header section, up to its empty line or to a delimiter; undefined when its end has not come yet. */
  #takeHeader(): Buffer | undefined {
    for (let at = 0; ; ) {
      const lf = this.#pending.indexOf(LF, at)
      const isTooLong = (lf < 0 ? this.#pending.length : lf + 1) > HEADER_MAX_BYTES
      if (lf < 0 && !isTooLong) return undefined
      const isBlank = lf === at || (lf === at + 1 && this.#pending[at] === CR)
      const isCut = !isBlank && !isTooLong && this.#delimiterAt(at, lf) !== undefined
      this.#isHeader = !(isBlank || isCut || isTooLong)
      if (isTooLong) return this.#take(0)
      if (!this.#isHeader) return this.#enter(this.#take(isCut ? at : lf + 1))
      at = lf + 1
    }
  }

  #enter(header: Buffer): Buffer {
    const boundary = this.#boundaries.length < DEPTH_MAX ? boundaryOf(header) : undefined
    if (boundary !== undefined) this.#boundaries.push(boundary)
    return inAscii(header)
  }

  /** What the line from `at` to `lf` begins or ends: the multipart at a level. */
  #delimiterAt(at: number, lf: number): { level: number; isClosing: boolean } | undefined {
    if (lf - at > DELIMITER_MAX_BYTES || this.#pending[at] !== HYPHEN || this.#pending[at + 1] !== HYPHEN)
      return undefined
    const text = this.#pending.toString('latin1', at + 2, lf).replace(/[ \t\r]+$/, '')
    const level = this.#boundaries.lastIndexOf(text)
    if (level >= 0) return { level, isClosing: false }
    const closed = text.endsWith('--') ? this.#boundaries.lastIndexOf(text.slice(0, -2)) : -1
    return closed >= 0 ? { level: closed, isClosing: true } : undefined
  }

  #take(end: number): Buffer {
    const octets = this.#pending.subarray(0, end)
    this.#pending = this.#pending.subarray(end)
    this.#isLineStart = true
    return octets
  }
}

/** A section with a line that is no field is text whose empty line is missing, and stays as it is. */
function inAscii(section: Buffer): Buffer {
  if (isAscii(section)) return section
  const inFields = parseHeader(section).reduce((octets, { start, end }) => octets + end - start, 0)
  return section.length - inFields > '\r\n'.length ? section : (surrogateHeader(section) ?? section)
}
