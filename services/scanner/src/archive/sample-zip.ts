// ZIP archives for tests whose headers may say anything, written octet by octet (APPNOTE 4.3).
import { crc32, deflateRawSync } from 'node:zlib'

interface Fields {
  signature?: string
  flags?: number
  method?: number
  crc?: number
  packedBytes?: number
  sizeBytes?: number
}

export interface SampleEntry {
  name?: string
  /** What is in the archive for this entry, as it stands there. */
  stream: Buffer
  /** What both headers say, and what each says instead. */
  says?: Fields
  local?: Fields
  directory?: Fields & { offset?: number }
  extra?: Buffer
  /** Leaves the entry out of the archive's local part or of its directory. */
  only?: 'local' | 'directory'
}

export function stored(bytes: Buffer, more: Partial<SampleEntry> = {}): SampleEntry {
  const says = { method: 0, crc: crc32(bytes), packedBytes: bytes.length, sizeBytes: bytes.length }
  return { stream: bytes, ...more, says: { ...says, ...more.says } }
}

export function deflated(bytes: Buffer, more: Partial<SampleEntry> = {}): SampleEntry {
  const stream = deflateRawSync(bytes)
  const says = { method: 8, crc: crc32(bytes), packedBytes: stream.length, sizeBytes: bytes.length }
  return { stream, ...more, says: { ...says, ...more.says } }
}

/** @param base what the offsets in the directory count from. */
export function zipOf(entries: SampleEntry[], comment: Buffer = Buffer.alloc(0), base = 0): Buffer {
  const locals: Buffer[] = []
  const records: Buffer[] = []
  let at = 0
  for (const entry of entries) {
    const { name = 'a.txt', extra = Buffer.alloc(0) }: SampleEntry = entry
    const fields = fieldsOf({ ...entry.says, ...entry.local }, name, extra)
    const local = Buffer.concat([sign(entry.local, 'PK\x03\x04'), fields, Buffer.from(name), extra, entry.stream])
    if (entry.only !== 'local') records.push(record(entry, name, entry.directory?.offset ?? base + at))
    if (entry.only !== 'directory') {
      locals.push(local)
      at += local.length
    }
  }
  const directory = Buffer.concat(records)
  return Buffer.concat([...locals, directory, end(records.length, directory.length, base + at, comment)])
}

function record(entry: SampleEntry, name: string, offset: number): Buffer {
  const fields = fieldsOf({ ...entry.says, ...entry.directory }, name, Buffer.alloc(0))
  const rest = Buffer.alloc(14)
  rest.writeUInt32LE(offset, 10)
  return Buffer.concat([sign(entry.directory, 'PK\x01\x02'), Buffer.from([20, 0]), fields, rest, Buffer.from(name)])
}

function sign(fields: Fields | undefined, usual: string): Buffer {
  return Buffer.from(fields?.signature ?? usual, 'latin1')
}

function fieldsOf(
  { flags = 0, method = 0, crc = 0, packedBytes = 0, sizeBytes = 0 }: Fields,
  name: string,
  extra: Buffer,
) {
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(20, 0)
  fields.writeUInt16LE(flags, 2)
  fields.writeUInt16LE(method, 4)
  fields.writeUInt32LE(crc, 10)
  fields.writeUInt32LE(packedBytes, 14)
  fields.writeUInt32LE(sizeBytes, 18)
  fields.writeUInt16LE(Buffer.byteLength(name), 22)
  fields.writeUInt16LE(extra.length, 24)
  return fields
}

function end(count: number, sizeBytes: number, offset: number, comment: Buffer): Buffer {
  const fixed = Buffer.alloc(22)
  fixed.write('PK\x05\x06', 'latin1')
  fixed.writeUInt16LE(count & 0xffff, 8)
  fixed.writeUInt16LE(count & 0xffff, 10)
  fixed.writeUInt32LE(sizeBytes, 12)
  fixed.writeUInt32LE(offset, 16)
  fixed.writeUInt16LE(comment.length, 20)
  return Buffer.concat([fixed, comment])
}
