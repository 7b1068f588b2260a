// Finds where archives may begin in any file, by content alone: at its start, behind a stub, behind another archive.
import * as check from './header-checks.ts'
import { isTarHeader } from './tar-header.ts'

export type Format =
  | ('zip' | 'zip-directory' | 'gzip' | 'bzip2' | 'xz' | '7z' | 'rar' | 'rar5' | 'cab' | 'arj' | 'lzh' | 'tar')
  | ('zstd' | 'lzma' | 'z' | 'cpio' | 'iso' | 'udf' | 'wim' | 'ar' | 'rpm' | 'xar' | 'ole' | 'tnef')

export interface Candidate {
  format: Format
  /** Where the archive begins. */
  at: number
}

interface Signature {
  format: Format
  /** At least two octets. */
  magic: Buffer
  /** Where the magic is in the archive. */
  offset: number
  check: check.HeaderCheck
}

function signature(format: Format, magic: string, isHeader: check.HeaderCheck = check.always, offset = 0): Signature {
  return { format, magic: Buffer.from(magic, 'latin1'), offset, check: isHeader }
}

const SIGNATURES: Signature[] = [
  signature('zip', 'PK\x03\x04', check.isZipEntry),
  signature('zip-directory', 'PK\x01\x02', check.isZipDirectory),
  signature('gzip', '\x1f\x8b\x08', check.isGzip),
  signature('bzip2', 'BZh', check.isBzip2),
  signature('xz', '\xfd7zXZ\0', check.isXz),
  signature('7z', "7z\xbc\xaf'\x1c", check.is7z),
  signature('rar', 'Rar!\x1a\x07\0', check.isRar4),
  signature('rar5', 'Rar!\x1a\x07\x01\0', check.isRar5),
  signature('cab', 'MSCF', check.isCab),
  signature('arj', '\x60\xea', check.isArj),
  signature('lzh', '-l', check.isLzh, 2),
  signature('lzh', '-p', check.isLzh, 2),
  signature('tar', 'ustar', isTarHeader, 257),
  signature('tar', '\0 ', isTarHeader, 154),
  signature('zstd', '\x28\xb5\x2f\xfd', check.isZstd),
  signature('cpio', '07070', check.isCpio),
  signature('iso', 'CD001\x01', check.always, 0x8001),
  signature('wim', 'MSWIM\0\0\0'),
  signature('ar', '!<arch>\n'),
  signature('rpm', '\xed\xab\xee\xdb'),
  signature('xar', 'xar!\0'),
  signature('ole', '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1'),
  signature('tnef', '\x78\x9f\x3e\x22'),
]

/** The signatures that begin with a pair of octets; whether there are any, and for each octet whether it begins one. */
const BY_PAIR = Map.groupBy(SIGNATURES, ({ magic }) => magic.readUInt16BE(0))
const IS_PAIR = new Uint8Array(65_536)
const IS_FIRST = new Uint8Array(256)
for (const pair of BY_PAIR.keys()) {
  IS_PAIR[pair] = 1
  IS_FIRST[pair >> 8] = 1
}

/** Every place where an archive may begin, from the front to the back; at most `limit`. Linear in the length. */
export function findCandidates(bytes: Buffer, limit: number): Candidate[] {
  const found: Candidate[] = []
  eachCandidate(bytes, (candidate) => found.push(candidate) < limit)
  return found.sort((a, b) => a.at - b.at).filter(({ format, at }, i) => !isSame(found[i - 1], format, at))
}

/** Calls `visit` for every place where an archive may begin, as long as it returns true. Linear in the length. */
export function eachCandidate(bytes: Buffer, visit: (candidate: Candidate) => boolean): void {
  for (const candidate of startCandidates(bytes)) if (!visit(candidate)) return
  // The loop runs once for each octet of each file: nothing in it that is not needed.
  const last = bytes.length - 1
  for (let at = 0; at < last; at++) {
    if (IS_FIRST[bytes[at]!] === 0) continue
    const pair = (bytes[at]! << 8) | bytes[at + 1]!
    if (IS_PAIR[pair] !== 0 && !visitPair(bytes, at, BY_PAIR.get(pair)!, visit)) return
  }
}

function visitPair(
  bytes: Buffer,
  magicAt: number,
  signatures: Signature[],
  visit: (candidate: Candidate) => boolean,
): boolean {
  return signatures.every(({ format, magic, offset, check }) => {
    const at = magicAt - offset
    const isOne = at >= 0 && hasMagic(bytes, magicAt, magic) && check(bytes, at)
    return !isOne || visit({ format, at })
  })
}

function hasMagic(bytes: Buffer, at: number, magic: Buffer): boolean {
  for (let i = 2; i < magic.length; i++) if (bytes[at + i] !== magic[i]) return false
  return true
}

function isSame(other: Candidate | undefined, format: Format, at: number): boolean {
  return other?.format === format && other.at === at
}

const SECTOR_BYTES = 2_048

/** Archives that can be told only where a file begins. */
function startCandidates(bytes: Buffer): Candidate[] {
  const found: Candidate[] = []
  if (isTarHeader(bytes, 0)) found.push({ format: 'tar', at: 0 })
  if (check.isLzma(bytes, 0)) found.push({ format: 'lzma', at: 0 })
  if (check.isCompress(bytes, 0)) found.push({ format: 'z', at: 0 })
  if (check.isBinaryCpio(bytes, 0)) found.push({ format: 'cpio', at: 0 })
  for (let sector = 16; sector < 32; sector++) {
    const name = bytes.toString('latin1', sector * SECTOR_BYTES + 1, sector * SECTOR_BYTES + 5)
    if (name === 'NSR0') return [...found, { format: 'udf', at: 0 }]
  }
  return found
}
