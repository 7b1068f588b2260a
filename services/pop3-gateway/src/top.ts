// The part of a message that TOP shows (RFC 1939 section 7): the header, the blank line and the first lines of the body.

const LF = 0x0a
const CR = 0x0d

/** The message up to `bodyLines` lines after the blank line; reads no further than it has to. */
export async function* topOf(message: AsyncIterable<Buffer>, bodyLines: number): AsyncIterable<Buffer> {
  const scan = new TopScan(bodyLines)
  for await (const chunk of message) {
    const end = scan.endIn(chunk)
    if (end !== undefined) {
      yield chunk.subarray(0, end)
      return
    }
    yield chunk
  }
}

/** Where in the stream the header has ended and how many body lines are still to come. */
class TopScan {
  #linesLeft: number
  #isInBody = false
  #lineOctets = 0
  #firstOctet = 0

  constructor(bodyLines: number) {
    this.#linesLeft = bodyLines
  }

  /** The offset in this chunk behind the last octet to show, or undefined when the whole chunk is. */
  endIn(chunk: Buffer): number | undefined {
    let from = 0
    for (;;) {
      const lf = chunk.indexOf(LF, from)
      const end = lf < 0 ? chunk.length : lf
      if (this.#lineOctets === 0 && end > from) this.#firstOctet = chunk[from]!
      this.#lineOctets += end - from
      if (lf < 0) return undefined
      if (this.#isLastLine()) return lf + 1
      from = lf + 1
    }
  }

  #isLastLine(): boolean {
    const isBlank = this.#lineOctets === 0 || (this.#lineOctets === 1 && this.#firstOctet === CR)
    this.#lineOctets = 0
    if (this.#isInBody) this.#linesLeft -= 1
    else if (isBlank) this.#isInBody = true
    return this.#isInBody && this.#linesLeft === 0
  }
}
