// Files with a password, and such that only look so, for tests.

import { rar4, rar5 } from '@sekimori/testing/rar-archive'
import { ole, pdf } from '../archive/sample-documents.ts'
import { archived, encryptedBy7Zip, garbledArj, markerFile } from '../archive/sample-tools.ts'
import { stored, zipOf } from '../archive/sample-zip.ts'

function word(flags: number): Buffer {
  const stream = Buffer.alloc(512)
  stream.writeUInt16LE(0xa5ec, 0)
  stream.writeUInt16LE(flags, 10)
  return ole({ WordDocument: stream, '1Table': Buffer.alloc(10) })
}

function workbook(...records: [type: number, sizeBytes: number][]): Buffer {
  const stream = records.map(([type, sizeBytes]) => {
    const record = Buffer.alloc(4 + sizeBytes)
    record.writeUInt16LE(type, 0)
    record.writeUInt16LE(sizeBytes, 2)
    return record
  })
  return ole({ Workbook: Buffer.concat(stream) })
}

const manifest = (entry: string) =>
  Buffer.from(
    `<?xml version="1.0"?><manifest:manifest><manifest:file-entry>${entry}</manifest:file-entry></manifest:manifest>`,
  )
const document = (entry: string) =>
  zipOf([
    stored(Buffer.from('application/vnd.oasis.opendocument.text'), { name: 'mimetype' }),
    stored(manifest(entry), { name: 'META-INF/manifest.xml' }),
  ])

const sessionKey = (...start: number[]) =>
  Buffer.concat([
    Buffer.from(start),
    Buffer.alloc(start[1]! - 1, 0x5a),
    Buffer.from([0xd2, 0x3f]),
    Buffer.alloc(63, 0x5a),
  ])

export const encrypted: Record<string, Buffer> = {
  'OpenPGP document for a key': sessionKey(0x84, 0x5e, 3),
  'OpenPGP document for a key, new header': sessionKey(0xc1, 0x5e, 6),
  'OpenPGP document with a password': sessionKey(0x8c, 0x0d, 4),
  'OpenPGP document in armor': Buffer.from(
    'Comment\n-----BEGIN PGP MESSAGE-----\n\nhQEMA1\n-----END PGP MESSAGE-----\n',
  ),
  'age document': Buffer.from(`age-encryption.org/v1\n-> X25519 ${'x'.repeat(40)}\n`),
  'document by OpenSSL': Buffer.concat([Buffer.from('Salted__'), Buffer.alloc(40, 0x5a)]),
  'ZIP, traditional': encryptedBy7Zip('a.zip'),
  'ZIP, traditional, by zip': archived([markerFile], 'a.zip', 'zip', '-q', '-P', 'secret', 'a.zip', markerFile.name),
  'ZIP, AES': encryptedBy7Zip('a.zip', '-mem=AES256'),
  'ZIP, AES, stored': encryptedBy7Zip('a.zip', '-mem=AES256', '-mx=0'),
  '7z': encryptedBy7Zip('a.7z'),
  '7z with its list of files': encryptedBy7Zip('a.7z', '-mhe=on'),
  'RAR 4': rar4([markerFile], 'files'),
  'RAR 4 with its list of files': rar4([markerFile], 'headers'),
  'RAR 5': rar5([markerFile], 'files'),
  'RAR 5 with its list of files': rar5([markerFile], 'headers'),
  'ARJ, garbled': garbledArj(),
  'new Office document': ole({ EncryptionInfo: Buffer.alloc(100), EncryptedPackage: Buffer.alloc(5_000, 0x5a) }),
  'Office document with rights': ole({ '\x09DRMContent': Buffer.alloc(5_000, 0x5a) }),
  'Word document': word(0x0100),
  'Excel workbook': workbook([0x809, 16], [0x86, 0], [0x2f, 54], [0xe1, 2]),
  'PowerPoint presentation': ole({
    'Current User': Buffer.from('0000f60f1400000014000000dfc4d1f3', 'hex'),
    'PowerPoint Document': Buffer.alloc(100),
  }),
  'OpenDocument text': document('<manifest:encryption-data/>'),
  'PDF, trailer': pdf('/Encrypt 5 0 R'),
  'PDF, cross-reference stream': pdf('/Encrypt 5 0 R', 'stream'),
  'PDF, direct dictionary': pdf('/Encrypt<</Filter/Standard/V 2>>'),
  'PDF, escaped name': pdf('/#45ncr#79pt 5 0 R'),
}

export const open: Record<string, Buffer> = {
  'Word document': word(0),
  'Excel workbook': workbook([0x809, 16], [0xe1, 2], [0x0a, 0]),
  'PowerPoint presentation': ole({
    'Current User': Buffer.from('5fc091e3', 'hex'),
    'PowerPoint Document': Buffer.alloc(100),
  }),
  'OpenDocument text': document(''),
  PDF: pdf('/Info 7 0 R'),
  'text that quotes an OpenPGP message': Buffer.from('He wrote:\n> -----BEGIN PGP MESSAGE-----\n>\n> hQEMA1\n'),
  'OpenPGP signature': Buffer.from('-----BEGIN PGP SIGNATURE-----\n\niQEz\n-----END PGP SIGNATURE-----\n'),
  'text in UTF-8 that begins with an accent': Buffer.from('\u00c9cole normale, et bien d\u2019autres choses encore'),
  'PDF that writes of encryption': pdf('/Info (trailer /Encrypted and /EncryptMetadata)'),
}
