// RAR archives for tests, written octet by octet from the descriptions of the two formats: files are only stored.
import { crc32 } from 'node:zlib'
import type { ArchiveFile } from './archive-file.ts'

export type RarEncryption = 'none' | 'files' | 'headers'

const RAR4 = { marker: Buffer.from('Rar!\x1a\x07\0', 'latin1'), main: 0x73, file: 0x74, end: 0x7b, stored: 0x30 }

/** RAR 1.5 to 4. */
export function rar4(files: ArchiveFile[], encryption: RarEncryption = 'none'): Buffer {
  const main = rar4Block(RAR4.main, encryption === 'headers' ? 0x80 : 0, Buffer.alloc(6))
  const members = files.flatMap((file) => [rar4File(file, encryption !== 'none'), file.bytes])
  return Buffer.concat([RAR4.marker, main, ...members, rar4Block(RAR4.end, 0x4000, Buffer.alloc(0))])
}

function rar4File({ name, bytes }: ArchiveFile, isEncrypted: boolean): Buffer {
  const fields = Buffer.alloc(25)
  fields.writeUInt32LE(bytes.length, 0)
  fields.writeUInt32LE(bytes.length, 4)
  fields[8] = 3 // Unix
  fields.writeUInt32LE(crc32(bytes), 9)
  fields[17] = isEncrypted ? 29 : 20 // version that is needed
  fields[18] = RAR4.stored
  fields.writeUInt16LE(name.length, 19)
  fields.writeUInt32LE(0o100644, 21)
  return rar4Block(
    RAR4.file,
    isEncrypted ? 0x8404 : 0x8000,
    fields,
    Buffer.from(name),
    Buffer.alloc(isEncrypted ? 8 : 0),
  )
}

/** Check sum, type, flags and length before the fields. */
function rar4Block(type: number, flags: number, ...fields: Buffer[]): Buffer {
  const rest = Buffer.concat([Buffer.alloc(5), ...fields])
  rest[0] = type
  rest.writeUInt16LE(flags, 1)
  rest.writeUInt16LE(rest.length + 2, 3)
  const sum = Buffer.alloc(2)
  sum.writeUInt16LE(crc32(rest) & 0xffff)
  return Buffer.concat([sum, rest])
}

const RAR5 = {
  marker: Buffer.from('Rar!\x1a\x07\x01\0', 'latin1'),
  main: 1,
  file: 2,
  encryption: 4,
  end: 5,
  service: 3,
}
const FLAG = { extra: 1, data: 2 }
const FILE_FLAG_CRC = 4
const EXTRA_ENCRYPTION = 1
/** AES-256, no check of the password, 2^n rounds, salt. */
const encryptionOf = (rounds: number) => Buffer.from([0, 0, rounds, ...Buffer.alloc(16, 7)])

/**
 * @param rounds the logarithm of the rounds that the key takes.
 * @param service what a comment holds, which no program takes for a file.
 */
export function rar5(files: ArchiveFile[], encryption: RarEncryption = 'none', rounds = 15, service?: Buffer): Buffer {
  const lock = encryption === 'headers' ? [rar5Block(vint(RAR5.encryption), vint(0), encryptionOf(rounds))] : []
  const main = rar5Block(vint(RAR5.main), vint(0), vint(0))
  const members = files.flatMap((file) => [rar5File(file, encryption !== 'none', rounds), file.bytes])
  if (service !== undefined)
    members.push(rar5File({ name: 'CMT', bytes: service }, false, rounds, RAR5.service), service)
  return Buffer.concat([RAR5.marker, ...lock, main, ...members, rar5Block(vint(RAR5.end), vint(0), vint(0))])
}

function rar5File({ name, bytes }: ArchiveFile, isEncrypted: boolean, rounds: number, type = RAR5.file): Buffer {
  const record = Buffer.concat([vint(EXTRA_ENCRYPTION), encryptionOf(rounds), Buffer.alloc(16, 9)])
  const extra = isEncrypted ? Buffer.concat([vint(record.length), record]) : Buffer.alloc(0)
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(crc32(bytes))
  const head = isEncrypted ? [vint(FLAG.extra | FLAG.data), vint(extra.length)] : [vint(FLAG.data)]
  const fields = [vint(FILE_FLAG_CRC), vint(bytes.length), vint(0o100644), crc, vint(0), vint(1)]
  const named = [vint(name.length), Buffer.from(name)]
  return rar5Block(vint(type), ...head, vint(bytes.length), ...fields, ...named, extra)
}

/** Check sum and length before the fields. */
function rar5Block(...fields: Buffer[]): Buffer {
  const body = Buffer.concat(fields)
  const sized = Buffer.concat([vint(body.length), body])
  const crc = Buffer.alloc(4)
  crc.writeUInt32LE(crc32(sized))
  return Buffer.concat([crc, sized])
}

/** A number of variable length: seven bits an octet, the lowest first. */
function vint(value: number): Buffer {
  const octets: number[] = []
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...octets, rest])
    octets.push((rest % 128) | 0x80)
  }
}
