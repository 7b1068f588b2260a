// LZH archives for tests: stored ones written octet by octet, and a compressed one that jlha made of the marker.
import type { ArchiveFile } from './archive-file.ts'

/** The marker by -lh5-, with a header of level 2. */
export const lh5 = Buffer.from(
  'JwAtbGg1LT8AAABKAQAAVwoDayACO6gABQAAUT0IAAFtLnR4dAAAADlLkpGf9j3QD2RcCgDQn6XkshVT75I1BNbAGkiz4NaiaLuVeGoNSNqd8xCMD4V9ET00hCy26/DHLPR39vrAAA==',
  'base64',
)

/** -lh0- with headers of level 0 or 1. */
export function lzh(files: ArchiveFile[], level: 0 | 1 = 0): Buffer {
  return Buffer.concat([...files.map((file) => Buffer.concat([header(file, level), file.bytes])), Buffer.alloc(1)])
}

function header({ name, bytes }: ArchiveFile, level: 0 | 1): Buffer {
  const fields = Buffer.alloc(20)
  fields.write('-lh0-', 0, 'latin1')
  fields.writeUInt32LE(bytes.length, 5)
  fields.writeUInt32LE(bytes.length, 9)
  fields[17] = 0x20
  fields[18] = level
  fields[19] = name.length
  const crc = Buffer.alloc(2)
  crc.writeUInt16LE(crc16(bytes))
  // Level 1: operating system, and no extended header.
  const rest = level === 1 ? Buffer.from('U\0\0', 'latin1') : Buffer.alloc(0)
  const body = Buffer.concat([fields, Buffer.from(name), crc, rest])
  return Buffer.concat([Buffer.from([body.length, body.reduce((sum, octet) => (sum + octet) & 0xff, 0)]), body])
}

/** CRC-16/ARC. */
function crc16(bytes: Buffer): number {
  let crc = 0
  for (const octet of bytes) {
    crc ^= octet
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ ((crc & 1) * 0xa001)
  }
  return crc
}
