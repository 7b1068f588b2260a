// Lines of a mail, without making text of it all: a mail may have millions.

const CR = 0x0d
const LF = 0x0a
const COLON = 0x3a
const MBOX = Buffer.from('From ')
const QUOTED_MBOX = Buffer.from('>From ')

/** Where each line begins and ends, its line end included. */
export function* linesOf(bytes: Buffer): Generator<[from: number, to: number]> {
  for (let from = 0; from < bytes.length; ) {
    const lf = bytes.indexOf(LF, from)
    const to = lf < 0 ? bytes.length : lf + 1
    yield [from, to]
    from = to
  }
}

/** Whether the line is a field of a header section, the continuation of one, empty, or a line of mbox. */
export function isFieldLine(bytes: Buffer, from: number, to: number): boolean {
  const first = bytes[from]!
  if (first === LF || (first === CR && bytes[from + 1] === LF) || first === 0x20 || first === 0x09) return true
  for (let at = from; at < to; at++) {
    const octet = bytes[at]!
    if (octet === COLON) return at > from
    if (octet <= 0x20 || octet >= 0x7f) return startsWith(bytes, from, MBOX) || startsWith(bytes, from, QUOTED_MBOX)
  }
  return false
}

function startsWith(bytes: Buffer, from: number, text: Buffer): boolean {
  return bytes.subarray(from, from + text.length).equals(text)
}

export function hasBareCr(bytes: Buffer): boolean {
  for (let at = bytes.indexOf(CR); at >= 0; at = bytes.indexOf(CR, at + 1)) if (bytes[at + 1] !== LF) return true
  return false
}

/** With a line end in place of each CR that stands by itself. */
export function withLineEnds(bytes: Buffer): Buffer {
  const rewritten = Buffer.allocUnsafe(2 * bytes.length)
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    rewritten[length++] = bytes[at]!
    if (bytes[at] === CR && bytes[at + 1] !== LF) rewritten[length++] = LF
  }
  return rewritten.subarray(0, length)
}
