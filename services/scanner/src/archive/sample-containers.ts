// Containers for tests that no archiver at hand makes, written octet by octet.
import type { SampleFile } from './sample-tools.ts'

const SECTOR_BYTES = 2_048

/** ISO 9660 with one file in its root. */
export function iso({ name, bytes }: SampleFile): Buffer {
  const root = 18
  const directory = Buffer.concat([
    isoRecord('\0', root, SECTOR_BYTES, true),
    isoRecord('\x01', root, SECTOR_BYTES, true),
    isoRecord(`${name.toUpperCase()};1`, root + 1, bytes.length, false),
  ])
  const volume = Buffer.alloc(SECTOR_BYTES)
  volume.write('\x01CD001\x01', 'latin1')
  bothEndian(volume, 80, root + 1 + Math.ceil(bytes.length / SECTOR_BYTES))
  for (const [at, value] of [
    [120, 1],
    [124, 1],
    [128, SECTOR_BYTES],
  ] as const) {
    volume.writeUInt16LE(value, at)
    volume.writeUInt16BE(value, at + 2)
  }
  isoRecord('\0', root, SECTOR_BYTES, true).copy(volume, 156)
  volume[881] = 1
  const end = Buffer.alloc(SECTOR_BYTES)
  end.write('\xffCD001\x01', 'latin1')
  return Buffer.concat([Buffer.alloc(16 * SECTOR_BYTES), volume, end, sector(directory), sector(bytes)])
}

function isoRecord(name: string, extent: number, sizeBytes: number, isDirectory: boolean): Buffer {
  const record = Buffer.alloc(33 + name.length + (name.length % 2 === 0 ? 1 : 0))
  record[0] = record.length
  bothEndian(record, 2, extent)
  bothEndian(record, 10, sizeBytes)
  record[25] = isDirectory ? 2 : 0
  record.writeUInt16LE(1, 28)
  record.writeUInt16BE(1, 30)
  record[32] = name.length
  record.write(name, 33, 'latin1')
  return record
}

function bothEndian(bytes: Buffer, at: number, value: number): void {
  bytes.writeUInt32LE(value, at)
  bytes.writeUInt32BE(value, at + 4)
}

function sector(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((SECTOR_BYTES - (bytes.length % SECTOR_BYTES)) % SECTOR_BYTES)])
}

/** The "new" portable format of cpio. */
export function cpio(file: SampleFile): Buffer {
  return Buffer.concat([cpioMember(file), cpioMember({ name: 'TRAILER!!!', bytes: Buffer.alloc(0) })])
}

function cpioMember({ name, bytes }: SampleFile): Buffer {
  const fields = [1, 0o100644, 0, 0, 1, 0, bytes.length, 0, 0, 0, 0, name.length + 1, 0]
  const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}${name}\0`
  return Buffer.concat([toFour(Buffer.from(header)), toFour(bytes)])
}

function toFour(bytes: Buffer): Buffer {
  return Buffer.concat([bytes, Buffer.alloc((4 - (bytes.length % 4)) % 4)])
}

/** The format of ar(1), as Debian packages have it. */
export function ar({ name, bytes }: SampleFile): Buffer {
  const header = `${`${name}/`.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${`${bytes.length}`.padEnd(10)}\`\n`
  return Buffer.concat([Buffer.from(`!<arch>\n${header}`), bytes, Buffer.alloc(bytes.length % 2, '\n')])
}
