// Files that stand in text by BinHex 4.0 (RFC 1741): six bits a letter, runs counted, both forks behind a header.

const ANNOUNCEMENT = Buffer.from('(This file must be converted with BinHex')
const ALPHABET = '!"#$%&\'()*+,-012345689@ABCDEFGHIJKLMNPQRSTUVXYZ[`abcdefhijklmpqr'
const VALUES = new Map([...ALPHABET].map((letter, value) => [letter.charCodeAt(0), value]))
const COLON = 0x3a
const RUN = 0x90
/** A run counts up to 255: an honest file does not become much longer. */
const LONGEST_BYTES = 64 * 1024 * 1024
const MOST_FILES = 20

/** Both forks of every file found. */
export function* readBinHex(body: Buffer): Generator<Buffer> {
  let count = 0
  for (let at = body.indexOf(ANNOUNCEMENT); at >= 0 && count < MOST_FILES; at = body.indexOf(ANNOUNCEMENT, at)) {
    count++
    const start = body.indexOf(COLON, at)
    if (start < 0) return
    const end = body.indexOf(COLON, start + 1)
    at = end < 0 ? body.length : end
    yield* forksOf(unfold(sextets(body.subarray(start + 1, at))))
  }
}

function sextets(text: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(text.length)
  let length = 0
  let bits = 0
  let count = 0
  for (const octet of text) {
    const value = VALUES.get(octet)
    if (value === undefined) continue
    bits = ((bits << 6) | value) & 0xffffff
    count += 6
    if (count < 8) continue
    count -= 8
    bytes[length++] = bits >> count
  }
  return bytes.subarray(0, length)
}

/** Takes the runs apart: an octet, 0x90, and how many of it there are; 0 stands for 0x90 itself. */
function unfold(packed: Buffer): Buffer {
  const parts: Buffer[] = []
  let from = 0
  let sizeBytes = 0
  for (let at = packed.indexOf(RUN); at >= 0 && sizeBytes < LONGEST_BYTES; at = packed.indexOf(RUN, from)) {
    const count = packed[at + 1] ?? 0
    parts.push(packed.subarray(from, at))
    const last = at > from ? packed[at - 1]! : (parts.at(-2)?.at(-1) ?? 0)
    const run = count === 0 ? Buffer.from([RUN]) : Buffer.alloc(Math.max(0, count - 1), last)
    parts.push(run)
    sizeBytes += at - from + run.length
    from = at + 2
  }
  parts.push(packed.subarray(from))
  return Buffer.concat(parts)
}

/** Length of the name, name, version, type, creator, flags, lengths of the forks, check sum; then the forks. */
function* forksOf(file: Buffer): Generator<Buffer> {
  const lengthsAt = 1 + (file[0] ?? 0) + 11
  if (lengthsAt + 10 > file.length) return
  const dataAt = lengthsAt + 10
  const dataBytes = file.readUInt32BE(lengthsAt)
  yield file.subarray(dataAt, dataAt + dataBytes)
  yield file.subarray(dataAt + dataBytes + 2, dataAt + dataBytes + 2 + file.readUInt32BE(lengthsAt + 4))
}
