// Writes a ZIP archive with one entry around a stream that was found somewhere, for 7-Zip to read.

const NAME = 'x'
/** The bits of the flags that tell how to decompress (APPNOTE 4.4.4). */
const COMPRESSION_FLAGS = 0b110

export interface Stream {
  bytes: Buffer
  /** APPNOTE 4.4.5. */
  method: number
  flags: number
  crc: number
  sizeBytes: number
}

export function singleEntryZip({ bytes: stream, method, flags, crc, sizeBytes }: Stream): Buffer {
  const fields = Buffer.alloc(26)
  fields.writeUInt16LE(63, 0)
  fields.writeUInt16LE(flags & COMPRESSION_FLAGS, 2)
  fields.writeUInt16LE(method, 4)
  fields.writeUInt32LE(crc, 10)
  fields.writeUInt32LE(stream.length, 14)
  fields.writeUInt32LE(sizeBytes >>> 0, 18)
  fields.writeUInt16LE(NAME.length, 22)
  const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(NAME)])
  const version = Buffer.from([63, 0])
  const directory = Buffer.concat([Buffer.from('PK\x01\x02'), version, fields, Buffer.alloc(14), Buffer.from(NAME)])
  const end = Buffer.alloc(22)
  end.write('PK\x05\x06', 'latin1')
  end.writeUInt16LE(1, 8)
  end.writeUInt16LE(1, 10)
  end.writeUInt32LE(directory.length, 12)
  end.writeUInt32LE(local.length + stream.length, 16)
  return Buffer.concat([local, stream, directory, end])
}
