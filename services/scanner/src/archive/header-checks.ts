// Whether octets that look like the start of an archive are one. Behind the start of a file the checks are strict, so
// that chance does not make archives of pictures; at the start they are lenient, so that a damaged one is still one.
import { crc32 } from 'node:zlib'

/** Whether the header at `at` is that of the format; `at` is where the archive begins. */
export type HeaderCheck = (bytes: Buffer, at: number) => boolean

export const always: HeaderCheck = () => true

const ZIP_METHODS = new Set([0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 14, 16, 18, 19, 20, 93, 94, 95, 96, 97, 98, 99])
const MAX_NAME_BYTES = 2_048

/** A local file header (APPNOTE 4.3.7). */
export const isZipEntry: HeaderCheck = (bytes, at) => {
  if (at === 0) return true
  if (at + 30 > bytes.length) return false
  const nameBytes = bytes.readUInt16LE(at + 26)
  if (
    nameBytes === 0 ||
    nameBytes > MAX_NAME_BYTES ||
    bytes[at + 4]! > 99 ||
    !ZIP_METHODS.has(bytes.readUInt16LE(at + 8))
  )
    return false
  return !bytes.subarray(at + 30, at + 30 + nameBytes).some((octet) => octet < 0x20 && octet !== 0)
}

/** A record of the central directory (APPNOTE 4.3.12). */
export const isZipDirectory: HeaderCheck = (bytes, at) => {
  if (at + 46 > bytes.length || bytes[at + 6]! > 99 || !ZIP_METHODS.has(bytes.readUInt16LE(at + 10))) return false
  const nameBytes = bytes.readUInt16LE(at + 28)
  return nameBytes > 0 && nameBytes <= MAX_NAME_BYTES
}

/** The first block behind the marker: a main header, or in RAR 5 an encryption header. */
export const isRar4: HeaderCheck = (bytes, at) => at === 0 || bytes[at + 9] === 0x73

export const isRar5: HeaderCheck = (bytes, at) => {
  // The type comes behind a length of one to three octets.
  const typeAt = [13, 14, 15].find((place) => bytes[at + place - 1]! < 0x80)
  return at === 0 || (typeAt !== undefined && (bytes[at + typeAt] === 1 || bytes[at + typeAt] === 4))
}

/** RFC 1952 section 2.3. */
export const isGzip: HeaderCheck = (bytes, at) => at === 0 || (bytes[at + 3] ?? 0xff) < 0x20

const BLOCK = Buffer.from('314159265359', 'hex')
const END_OF_STREAM = Buffer.from('177245385090', 'hex')

export const isBzip2: HeaderCheck = (bytes, at) => {
  const level = bytes[at + 3] ?? 0
  const magic = bytes.subarray(at + 4, at + 10)
  const isCut = at === 0 && magic.length > 0
  if (level < 0x31 || level > 0x39 || (magic.length < 6 && !isCut)) return false
  return [BLOCK, END_OF_STREAM].some((expected) => expected.subarray(0, magic.length).equals(magic))
}

/** Stream header with its check sum (xz file format, section 2.1.1). */
export const isXz: HeaderCheck = (bytes, at) =>
  at === 0 || (at + 12 <= bytes.length && crc32(bytes.subarray(at + 6, at + 8)) === bytes.readUInt32LE(at + 8))

export const is7z: HeaderCheck = (bytes, at) =>
  at === 0 || (at + 32 <= bytes.length && crc32(bytes.subarray(at + 12, at + 32)) === bytes.readUInt32LE(at + 8))

/** CFHEADER ([MS-CAB] 2.1). */
export const isCab: HeaderCheck = (bytes, at) => {
  if (at === 0) return true
  if (at + 36 > bytes.length || bytes.readUInt32LE(at + 4) !== 0 || bytes.readUInt16LE(at + 24) !== 0x0103) return false
  return bytes.readUInt32LE(at + 16) < bytes.readUInt32LE(at + 8)
}

/** A basic header with its check sum (ARJ technical information). */
export const isArj: HeaderCheck = (bytes, at) => {
  if (at + 4 > bytes.length) return false
  const sizeBytes = bytes.readUInt16LE(at + 2)
  if (sizeBytes < 30 || sizeBytes > 2_600) return false
  const end = at + 4 + sizeBytes
  if (end + 4 > bytes.length) return at === 0
  return at === 0 || crc32(bytes.subarray(at + 4, end)) === bytes.readUInt32LE(end)
}

const LZH_METHOD = /^-(?:lh[0-9a-z]|lz[s45]|pm[0-2s])-$/

/** LHA headers of levels 0 to 3; those of levels 0 and 1 have a check sum. */
export const isLzh: HeaderCheck = (bytes, at) => {
  if (!LZH_METHOD.test(bytes.toString('latin1', at + 2, at + 7))) return false
  if (at === 0) return true
  const level = bytes[at + 20] ?? 0xff
  if (level > 3) return false
  if (level === 2) return bytes.readUInt16LE(at) >= 24 && at + bytes.readUInt16LE(at) <= bytes.length
  if (level === 3) return bytes.readUInt16LE(at) === 4
  let sum = 0
  for (const octet of bytes.subarray(at + 2, at + 2 + bytes[at]!)) sum = (sum + octet) & 0xff
  return sum === bytes[at + 1]
}

/** Frame header with its reserved bit (RFC 8878 section 3.1.1.1). */
export const isZstd: HeaderCheck = (bytes, at) => ((bytes[at + 4] ?? 8) & 8) === 0

/** Headers in ASCII: all digits. */
export const isCpio: HeaderCheck = (bytes, at) => {
  const header = bytes.toString('latin1', at, at + 110)
  return /^070707[0-7]{70}/.test(header) || /^07070[12][0-9a-fA-F]{104}/.test(header)
}

/** Headers in binary, of either byte order; the length of the first name tells it from chance. */
export const isBinaryCpio: HeaderCheck = (bytes, at) => {
  if (at + 26 > bytes.length) return false
  const magic = bytes.readUInt16BE(at)
  const nameBytes = magic === 0x71c7 ? bytes.readUInt16BE(at + 20) : bytes.readUInt16LE(at + 20)
  return (magic === 0x71c7 || magic === 0xc771) && nameBytes > 0 && nameBytes <= MAX_NAME_BYTES
}

/** An LZMA file has no magic: properties, a dictionary size as encoders choose it, and a length or none. */
export const isLzma: HeaderCheck = (bytes, at) => {
  if (at + 14 > bytes.length || bytes[at] !== 0x5d || bytes[at + 13] !== 0) return false
  const dictionaryBytes = bytes.readUInt32LE(at + 1)
  const high = bytes.readUInt32LE(at + 9)
  const isRound = Number.isInteger(Math.log2(dictionaryBytes)) || Number.isInteger(Math.log2(dictionaryBytes / 3))
  return isRound && dictionaryBytes >= 4_096 && (high === 0xffffffff || high < 0x100)
}

/** The output of compress(1). */
export const isCompress: HeaderCheck = (bytes, at) => {
  if (at + 3 > bytes.length || bytes.readUInt16BE(at) !== 0x1f9d) return false
  const flags = bytes[at + 2]!
  return (flags & 0x60) === 0 && (flags & 0x1f) >= 9 && (flags & 0x1f) <= 16
}
