// Archives whose list of files is encrypted as well, told by their own headers: 7-Zip throws on some of them, and asks
// much processor time of others before it says so.

/** The codec AES-256 with SHA-256 in a 7z header. */
const SEVEN_ZIP_AES = Buffer.from('06f10701', 'hex')
const SEVEN_ZIP = { offsetAt: 12, sizeAt: 20, headerBytes: 32 }
const RAR4 = { mainFlagsAt: 10, encryptedHeaders: 0x80 }
const RAR5 = { firstBlockAt: 8, checkSumBytes: 4, encryption: 4 }

/** The start header tells where the header is; a packed header names its codecs. */
export function has7zEncryptedHeader(bytes: Buffer): boolean {
  if (bytes.length < SEVEN_ZIP.headerBytes) return false
  const from = SEVEN_ZIP.headerBytes + Number(bytes.readBigUInt64LE(SEVEN_ZIP.offsetAt))
  const header = bytes.subarray(from, from + Number(bytes.readBigUInt64LE(SEVEN_ZIP.sizeAt)))
  const isPacked = header[0] === 0x17
  return isPacked && header.includes(SEVEN_ZIP_AES)
}

export function hasRar4EncryptedHeaders(bytes: Buffer): boolean {
  if (bytes.length < RAR4.mainFlagsAt + 2) return false
  return (bytes.readUInt16LE(RAR4.mainFlagsAt) & RAR4.encryptedHeaders) !== 0
}

/** The first block is an encryption block: check sum, length, type, the latter two of variable length. */
export function hasRar5EncryptedHeaders(bytes: Buffer): boolean {
  let at = RAR5.firstBlockAt + RAR5.checkSumBytes
  while ((bytes[at] ?? 0) >= 0x80 && at < RAR5.firstBlockAt + 8) at++
  return bytes[at + 1] === RAR5.encryption
}

const ARJ = {
  idBytes: 2,
  sizeAt: 2,
  headerAt: 4,
  flagsAt: 8,
  typeAt: 10,
  packedAt: 16,
  crcBytes: 4,
  garbled: 1,
  main: 2,
}
const MAX_ARJ_FILES = 10_000

/** Whether a file of the ARJ archive is garbled, as its local header tells. */
export function isArjGarbled(bytes: Buffer): boolean {
  let at = 0
  for (let count = 0; count < MAX_ARJ_FILES && at + ARJ.packedAt + 4 <= bytes.length; count++) {
    const sizeBytes = bytes.readUInt16LE(at + ARJ.sizeAt)
    if (bytes.readUInt16BE(at) !== 0x60ea || sizeBytes === 0) return false
    if ((bytes[at + ARJ.flagsAt]! & ARJ.garbled) !== 0) return true
    const isMain = bytes[at + ARJ.typeAt] === ARJ.main
    const packedBytes = isMain ? 0 : bytes.readUInt32LE(at + ARJ.packedAt)
    at = extendedHeadersEnd(bytes, at + ARJ.headerAt + sizeBytes + ARJ.crcBytes) + packedBytes
  }
  return false
}

function extendedHeadersEnd(bytes: Buffer, from: number): number {
  let at = from
  while (at + 2 <= bytes.length) {
    const sizeBytes = bytes.readUInt16LE(at)
    at += 2
    if (sizeBytes === 0) break
    at += sizeBytes + ARJ.crcBytes
  }
  return at
}
