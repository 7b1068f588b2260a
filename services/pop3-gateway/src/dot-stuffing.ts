// A message as a multi-line response (RFC 1939 section 3): byte-stuffed, with the terminating line.

const LF = 0x0a
const DOT = 0x2e
const STUFFING = Buffer.from('.')
const LINE_START_DOT = Buffer.from('\n.')
const END = Buffer.from('.\r\n')
const LINE_END_AND_END = Buffer.from('\r\n.\r\n')

/**
 * Doubles the termination octet at the start of a line and ends with `.` on a line of its own. Octets pass uncopied.
 * A bare LF counts as a line end here: a client that reads by LF must not be shown an end that is none.
 */
export async function* dotStuffed(message: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  let last = LF
  let isEmpty = true
  for await (const chunk of message) {
    if (chunk.length === 0) continue
    if (last === LF && chunk[0] === DOT) yield STUFFING
    yield* stuffedInside(chunk)
    last = chunk[chunk.length - 1]!
    isEmpty = false
  }
  yield isEmpty || last === LF ? END : LINE_END_AND_END
}

function* stuffedInside(chunk: Buffer): Iterable<Buffer> {
  let from = 0
  for (let at = chunk.indexOf(LINE_START_DOT); at >= 0; at = chunk.indexOf(LINE_START_DOT, at + 1)) {
    yield chunk.subarray(from, at + 1)
    yield STUFFING
    from = at + 1
  }
  yield from === 0 ? chunk : chunk.subarray(from)
}
