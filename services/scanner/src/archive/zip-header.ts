// Local file headers and central directory records of ZIP (APPNOTE 4.3.7 and 4.3.12), with their ZIP64 lengths.

export interface ZipHeader {
  name: string
  flags: number
  method: number
  crc: number
  packedBytes: number
  sizeBytes: number
}

export interface LocalHeader extends ZipHeader {
  /** Where the stream begins. */
  dataAt: number
}

export interface DirectoryRecord extends ZipHeader {
  /** Where the local header is, counted from some base. */
  offset: number
}

export const FLAG = { encrypted: 1, lengthsFollow: 8, utf8: 0x800 }

const LOCAL_BYTES = 30
const RECORD_BYTES = 46
const IN_ZIP64 = 0xffffffff

/** Reads what is at `at` as a local header, whatever its signature; undefined when the file ends before it. */
export function readLocalHeader(bytes: Buffer, at: number): LocalHeader | undefined {
  if (at < 0 || at + LOCAL_BYTES > bytes.length) return undefined
  const nameAt = at + LOCAL_BYTES
  const extraAt = nameAt + bytes.readUInt16LE(at + 26)
  const dataAt = extraAt + bytes.readUInt16LE(at + 28)
  const header = readFields(bytes, at + 6, nameAt)
  const zip64 = zip64Field(bytes, extraAt, dataAt)
  if (header.sizeBytes === IN_ZIP64) header.sizeBytes = zip64() ?? IN_ZIP64
  if (header.packedBytes === IN_ZIP64) header.packedBytes = zip64() ?? IN_ZIP64
  return { ...header, dataAt }
}

export function readDirectoryRecord(bytes: Buffer, at: number): DirectoryRecord {
  const nameAt = at + RECORD_BYTES
  const extraAt = nameAt + bytes.readUInt16LE(at + 28)
  const header = readFields(bytes, at + 8, nameAt)
  let offset = bytes.readUInt32LE(at + 42)
  const zip64 = zip64Field(bytes, extraAt, extraAt + bytes.readUInt16LE(at + 30))
  if (header.sizeBytes === IN_ZIP64) header.sizeBytes = zip64() ?? IN_ZIP64
  if (header.packedBytes === IN_ZIP64) header.packedBytes = zip64() ?? IN_ZIP64
  if (offset === IN_ZIP64) offset = zip64() ?? IN_ZIP64
  return { ...header, offset }
}

/** The fields that both have in common, from the flags on. */
function readFields(bytes: Buffer, at: number, nameAt: number): ZipHeader {
  const flags = bytes.readUInt16LE(at)
  const name = bytes.subarray(nameAt, nameAt + bytes.readUInt16LE(at + 20))
  return {
    name: name.toString((flags & FLAG.utf8) === 0 ? 'latin1' : 'utf8'),
    flags,
    method: bytes.readUInt16LE(at + 2),
    crc: bytes.readUInt32LE(at + 8),
    packedBytes: bytes.readUInt32LE(at + 12),
    sizeBytes: bytes.readUInt32LE(at + 16),
  }
}

/** Hands out the 64-bit numbers of the ZIP64 extra field, one a call (APPNOTE 4.5.3). */
function zip64Field(bytes: Buffer, from: number, to: number): () => number | undefined {
  let next = 0
  let end = 0
  for (let at = from; at + 4 <= Math.min(to, bytes.length); at += 4 + bytes.readUInt16LE(at + 2)) {
    if (bytes.readUInt16LE(at) !== 1) continue
    next = at + 4
    end = Math.min(bytes.length, next + bytes.readUInt16LE(at + 2))
    break
  }
  return () => {
    if (next + 8 > end) return undefined
    next += 8
    return Number(bytes.readBigUInt64LE(next - 8))
  }
}
