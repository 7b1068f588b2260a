// Headers of tar members: old V7, POSIX ustar and pax, GNU (POSIX.1-1988 10.1.1, POSIX.1-2001 pax).

export const BLOCK_BYTES = 512

export interface TarHeader {
  name: string
  /** Octets of the member; not a number when the field is none. */
  sizeBytes: number
  type: string
}

const USTAR = Buffer.from('ustar')

/** Whether a tar header begins at `at`: by its check sum, or at the start of a file by its magic at least. */
export function isTarHeader(bytes: Buffer, at: number): boolean {
  if (at + BLOCK_BYTES > bytes.length) return false
  return hasCheckSum(bytes, at) || (at === 0 && hasTarMagic(bytes, at))
}

export function hasTarMagic(bytes: Buffer, at: number): boolean {
  return at + BLOCK_BYTES <= bytes.length && bytes.compare(USTAR, 0, 5, at + 257, at + 262) === 0
}

export function readTarHeader(bytes: Buffer, at: number): TarHeader {
  const nameEnd = bytes.indexOf(0, at)
  return {
    name: bytes.toString('utf8', at, Math.min(at + 100, nameEnd < 0 ? at + 100 : nameEnd)),
    sizeBytes: readNumber(bytes, at + 124, 12),
    type: String.fromCharCode(bytes[at + 156]!),
  }
}

function hasCheckSum(bytes: Buffer, at: number): boolean {
  // The field is "six digits, NUL, space" nearly always: the cheap test first.
  const digit = bytes[at + 149]!
  if (digit !== 0x20 && (digit < 0x30 || digit > 0x37)) return false
  const expected = readNumber(bytes, at + 148, 8)
  if (!(expected > 0)) return false
  let unsigned = 8 * 0x20
  let signed = 8 * 0x20
  for (let i = 0; i < BLOCK_BYTES; i++) {
    if (i >= 148 && i < 156) continue
    const octet = bytes[at + i]!
    unsigned += octet
    signed += octet < 128 ? octet : octet - 256
  }
  return expected === unsigned || expected === signed
}

/** An octal number, or with the highest bit set one in base 256 (GNU). */
function readNumber(bytes: Buffer, at: number, length: number): number {
  if ((bytes[at]! & 0x80) !== 0) return bytes.readUIntBE(at + length - 6, 6)
  const digits = /^[\0 ]*([0-7]+)/.exec(bytes.toString('latin1', at, at + length))
  return digits === null ? Number.NaN : Number.parseInt(digits[1]!, 8)
}
