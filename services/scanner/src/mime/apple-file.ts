// The data fork of a file in AppleSingle (RFC 1740, appendix A) or MacBinary.

const APPLE_SINGLE = 0x00051600
const DATA_FORK = 1
const HEADER_BYTES = 26
const ENTRY_BYTES = 12
const MOST_ENTRIES = 64
const MAC_BINARY = { headerBytes: 128, dataLengthAt: 83, longestName: 63 }

/** The fork, when the octets are such a file. */
export function* readAppleFile(bytes: Buffer): Generator<Buffer> {
  if (bytes.length > HEADER_BYTES && bytes.readUInt32BE(0) === APPLE_SINGLE) yield* dataForks(bytes)
  else if (isMacBinary(bytes)) {
    const from = MAC_BINARY.headerBytes
    yield bytes.subarray(from, from + bytes.readUInt32BE(MAC_BINARY.dataLengthAt))
  }
}

function* dataForks(bytes: Buffer): Generator<Buffer> {
  const count = Math.min(bytes.readUInt16BE(24), MOST_ENTRIES)
  for (let i = 0; i < count; i++) {
    const at = HEADER_BYTES + i * ENTRY_BYTES
    if (at + ENTRY_BYTES > bytes.length) return
    const from = bytes.readUInt32BE(at + 4)
    if (bytes.readUInt32BE(at) === DATA_FORK) yield bytes.subarray(from, from + bytes.readUInt32BE(at + 8))
  }
}

function isMacBinary(bytes: Buffer): boolean {
  const { headerBytes, longestName, dataLengthAt } = MAC_BINARY
  if (bytes.length < headerBytes || bytes[0] !== 0 || bytes[74] !== 0) return false
  const nameBytes = bytes[1]!
  const dataBytes = bytes.readUInt32BE(dataLengthAt)
  return nameBytes > 0 && nameBytes <= longestName && dataBytes > 0 && dataBytes <= bytes.length - headerBytes
}
