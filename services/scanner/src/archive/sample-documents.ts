// Documents for tests: OLE files ([MS-CFB]), TNEF, and PDF, just enough of each.

const SECTOR_BYTES = 512
const END_OF_CHAIN = 0xfffffffe
const FREE = 0xffffffff
const FAT_SECTOR = 0xfffffffd
/** Shorter streams would go into another stream, which these files do not have. */
const MIN_STREAM_BYTES = 4_096

/** An OLE file with these streams; short ones are filled up with zeros. */
export function ole(streams: Record<string, Buffer>): Buffer {
  const padded = Object.entries(streams).map(([name, bytes]) => ({ name, bytes: pad(bytes) }))
  const directorySectors = Math.ceil((padded.length + 1) / 4)
  const fat: number[] = [FAT_SECTOR]
  const chain = (count: number) => {
    const first = fat.length
    for (let i = 1; i <= count; i++) fat.push(i === count ? END_OF_CHAIN : fat.length + 1)
    return first
  }
  chain(directorySectors)
  const entries = padded.map(({ name, bytes }, i) =>
    directoryEntry(name, 2, chain(bytes.length / SECTOR_BYTES), bytes.length, i + 2 <= padded.length ? i + 2 : FREE),
  )
  const directory = Buffer.concat([directoryEntry('Root Entry', 5, END_OF_CHAIN, 0, FREE, 1), ...entries])
  const fatSector = Buffer.alloc(SECTOR_BYTES, 0xff)
  for (const [i, next] of fat.entries()) fatSector.writeUInt32LE(next, 4 * i)
  const filled = Buffer.concat([directory, Buffer.alloc(directorySectors * SECTOR_BYTES - directory.length)])
  return Buffer.concat([header(), fatSector, filled, ...padded.map(({ bytes }) => bytes)])
}

function pad(bytes: Buffer): Buffer {
  const sizeBytes = Math.max(MIN_STREAM_BYTES, Math.ceil(bytes.length / SECTOR_BYTES) * SECTOR_BYTES)
  return Buffer.concat([bytes, Buffer.alloc(sizeBytes - bytes.length)])
}

function header(): Buffer {
  const bytes = Buffer.alloc(SECTOR_BYTES)
  bytes.write('d0cf11e0a1b11ae1', 'hex')
  for (const [at, value] of [
    [24, 0x3e],
    [26, 3],
    [28, 0xfffe],
    [30, 9],
    [32, 6],
  ] as const)
    bytes.writeUInt16LE(value, at)
  bytes.writeUInt32LE(1, 44) // FAT sectors
  bytes.writeUInt32LE(1, 48) // first directory sector
  bytes.writeUInt32LE(MIN_STREAM_BYTES, 56)
  bytes.writeUInt32LE(END_OF_CHAIN, 60)
  bytes.writeUInt32LE(END_OF_CHAIN, 68)
  bytes.fill(0xff, 76)
  bytes.writeUInt32LE(0, 76) // the FAT is in the first sector
  return bytes
}

function directoryEntry(
  name: string,
  type: number,
  start: number,
  sizeBytes: number,
  right: number,
  child = FREE,
): Buffer {
  const entry = Buffer.alloc(128)
  entry.write(name, 'utf16le')
  entry.writeUInt16LE(2 * name.length + 2, 64)
  entry[66] = type
  entry[67] = 1
  entry.writeUInt32LE(FREE, 68)
  entry.writeUInt32LE(right, 72)
  entry.writeUInt32LE(child, 76)
  entry.writeUInt32LE(start, 116)
  entry.writeUInt32LE(sizeBytes, 120)
  return entry
}

const ATTACHMENT_LEVEL = 2

/** A winmail.dat with one attachment, or with the value of another attribute. */
export function tnef(value: Buffer, attribute = 0x0006800f): Buffer {
  const head = Buffer.from('789f3e220100', 'hex')
  const fields = Buffer.alloc(9)
  fields[0] = ATTACHMENT_LEVEL
  fields.writeUInt32LE(attribute, 1)
  fields.writeUInt32LE(value.length, 5)
  const sum = Buffer.alloc(2)
  sum.writeUInt16LE(value.reduce((total, octet) => (total + octet) & 0xffff, 0))
  return Buffer.concat([head, fields, value, sum])
}

/** A PDF file with these entries in its trailer, or in the dictionary of its cross-reference stream. */
export function pdf(entries: string, kind: 'trailer' | 'stream' = 'trailer'): Buffer {
  const objects =
    '1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [] /Count 0 >>\nendobj\n'
  const dictionary = `<< /Size 3 /Root 1 0 R ${entries} >>`
  const end =
    kind === 'trailer'
      ? `xref\n0 3\ntrailer\n${dictionary}\n`
      : `3 0 obj\n${dictionary.replace('<<', '<< /Type /XRef /W [1 1 1] /Length 3')}\nstream\n\0\0\0\nendstream\nendobj\n`
  return Buffer.from(`%PDF-1.7\n${objects}${end}startxref\n9\n%%EOF\n`, 'latin1')
}
