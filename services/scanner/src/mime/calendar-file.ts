// Files inside of calendar entries and address cards: properties in base64 (RFC 5545 section 3.8.1.1, RFC 2426).

const BEGIN = /^\s*BEGIN:V/i
const ENCODINGS = [Buffer.from('ENCODING=B'), Buffer.from('encoding=b'), Buffer.from('Encoding=B')]
const COLON = 0x3a
const MOST_FILES = 100
/** Parameters are short. */
const PARAMETERS_SPAN = 2_000

/** Every file found. */
export function* readCalendarFiles(bytes: Buffer): Generator<Buffer> {
  if (!BEGIN.test(bytes.toString('latin1', 0, 200))) return
  let count = 0
  for (const encoding of ENCODINGS)
    for (let at = bytes.indexOf(encoding); at >= 0 && count < MOST_FILES; at = bytes.indexOf(encoding, at + 1)) {
      const colon = bytes.subarray(at, at + PARAMETERS_SPAN).indexOf(COLON)
      if (colon < 0) continue
      const from = at + colon + 1
      const to = foldedEnd(bytes, from)
      count++
      yield Buffer.from(bytes.toString('latin1', from, to), 'base64')
      at = to
    }
}

/** Behind the line and those that continue it, which begin with white space. */
function foldedEnd(bytes: Buffer, from: number): number {
  for (let at = from; ; ) {
    const lf = bytes.indexOf(0x0a, at)
    if (lf < 0) return bytes.length
    if (bytes[lf + 1] !== 0x20 && bytes[lf + 1] !== 0x09) return lf
    at = lf + 1
  }
}
