// Files that are no archives that are opened here, and that nobody else can look into either.

import { isEncryptedMessage } from './encrypted-message.ts'
import { type Trouble, trouble } from './opened.ts'
import { isEncryptedPdf } from './pdf.ts'

interface Unopenable {
  name: string
  magic: string
  at: number
}

/** Archives that users may have a program for, and that neither 7-Zip nor ClamAV opens. */
const UNOPENABLE: Unopenable[] = [
  { name: 'ACE', magic: '**ACE**', at: 7 },
  { name: 'ALZ', magic: 'ALZ\x01', at: 0 },
  { name: 'ZOO', magic: '\xdc\xa7\xc4\xfd', at: 20 },
  { name: 'LZ4', magic: '\x04\x22\x4d\x18', at: 0 },
  { name: 'lzip', magic: 'LZIP\x01', at: 0 },
  { name: 'lzop', magic: '\x89LZO\0\r\n', at: 0 },
  { name: 'StuffIt', magic: 'SIT!', at: 0 },
  { name: 'StuffIt 5', magic: 'StuffIt (c)', at: 0 },
  { name: 'RAR 1', magic: 'RE~^', at: 0 },
  { name: 'FreeArc', magic: 'ArC\x01', at: 0 },
  { name: 'ZPAQ', magic: '7kSt\xa0', at: 0 },
  { name: 'EGG', magic: 'EGGA', at: 0 },
  { name: 'VHD', magic: 'conectix', at: 0 },
  { name: 'VHDX', magic: 'vhdxfile', at: 0 },
  { name: 'VMDK', magic: 'KDMV', at: 0 },
  { name: 'Outlook data file', magic: '!BDN', at: 0 },
]

const ODF_ENCRYPTION = Buffer.from('manifest:encryption-data')
/** A manifest is as long as its document has parts. */
const MANIFEST_WITHIN_BYTES = 256 * 1024
const XML = Buffer.from('<')

/** Why a file can not be looked into, if so. Linear in its length. */
export function sealOf(bytes: Buffer): Trouble | undefined {
  for (const { name, magic, at } of UNOPENABLE)
    if (bytes.toString('latin1', at, at + magic.length) === magic) return trouble('damaged', `no unpacker for ${name}`)
  if (hasVhdFooter(bytes)) return trouble('damaged', 'no unpacker for VHD')
  if (isEncryptedMessage(bytes)) return trouble('encrypted', 'for its reader')
  if (isEncryptedPdf(bytes)) return trouble('encrypted', 'PDF')
  if (isEncryptedOdfManifest(bytes)) return trouble('encrypted', 'ODF')
  return undefined
}

/** The footer of a disk image that has its sectors as they are. */
function hasVhdFooter(bytes: Buffer): boolean {
  return bytes.toString('latin1', bytes.length - 512, bytes.length - 504) === 'conectix'
}

function isEncryptedOdfManifest(bytes: Buffer): boolean {
  return bytes.subarray(0, 4).includes(XML) && bytes.subarray(0, MANIFEST_WITHIN_BYTES).includes(ODF_ENCRYPTION)
}
