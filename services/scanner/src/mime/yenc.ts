// Files that stand in text by yEnc (yEnc draft 1.3): each octet moved by 42, four of them escaped.

const BEGIN = Buffer.from('=ybegin ')
const END = Buffer.from('=yend')
const PART = Buffer.from('=ypart ')
const MOST_FILES = 100
const ESCAPE = 0x3d

/** Every file found; one that breaks off is read as far as it goes. */
export function* readYEnc(body: Buffer): Generator<Buffer> {
  let count = 0
  for (let at = body.indexOf(BEGIN); at >= 0 && count < MOST_FILES; at = body.indexOf(BEGIN, at)) {
    at += BEGIN.length
    count++
    const lf = body.indexOf(0x0a, at)
    if (lf < 0) return
    let from = lf + 1
    if (body.subarray(from, from + PART.length).equals(PART)) from = body.indexOf(0x0a, from) + 1 || body.length
    const end = body.indexOf(END, from)
    const to = end < 0 ? body.length : end
    yield decode(body.subarray(from, to))
    at = to
  }
}

function decode(text: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(text.length)
  let length = 0
  for (let at = 0; at < text.length; at++) {
    const octet = text[at]!
    if (octet === 0x0d || octet === 0x0a) continue
    bytes[length++] = octet === ESCAPE ? text[++at]! - 64 - 42 : octet - 42
  }
  return bytes.subarray(0, length)
}
