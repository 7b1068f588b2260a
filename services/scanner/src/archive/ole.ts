// Whether an OLE file (old Office documents, or the wrapping of encrypted new ones) is encrypted: [MS-CFB], [MS-OFFCRYPTO].

const SECTOR = { directory: 128 }
const NAMES = {
  encryptedPackage: 'EncryptedPackage',
  rights: '\x09DRMContent',
  word: 'WordDocument',
  workbook: ['Workbook', 'Book'],
  powerPoint: 'PowerPoint Document',
}
const WORD = { ident: 0xa5ec, flagsAt: 10, encrypted: 0x100 }
const BIFF = { filePass: 0x2f, beginOfFile: 0x809, maxRecords: 20 }
/** The token of an encrypted presentation's "Current User" stream ([MS-PPT] 2.3.2). */
const POWER_POINT_ENCRYPTED = Buffer.from('dfc4d1f3', 'hex')

/** The octets of an OLE file, from its start. */
export function isEncryptedOle(bytes: Buffer): boolean {
  const entry = (name: string) => startOf(bytes, name)
  if (entry(NAMES.encryptedPackage) !== undefined || entry(NAMES.rights) !== undefined) return true
  if (entry(NAMES.powerPoint) !== undefined && bytes.includes(POWER_POINT_ENCRYPTED)) return true
  const word = entry(NAMES.word)
  if (word !== undefined && isEncryptedWord(bytes, word)) return true
  return NAMES.workbook.some((name) => {
    const start = entry(name)
    return start !== undefined && hasFilePass(bytes, start)
  })
}

/** Where the stream of that name begins in the file, by its directory entry wherever that is. */
function startOf(bytes: Buffer, name: string): number | undefined {
  const letters = Buffer.from(`${name}\0`, 'utf16le')
  for (let at = bytes.indexOf(letters); at >= 0; at = bytes.indexOf(letters, at + 1)) {
    const isEntry = at % SECTOR.directory === 0 && at + SECTOR.directory <= bytes.length
    if (!isEntry || bytes.readUInt16LE(at + 64) !== letters.length) continue
    const sectorBytes = 2 ** (bytes.readUInt16LE(30) & 15)
    return (bytes.readUInt32LE(at + 116) + 1) * sectorBytes
  }
  return undefined
}

function isEncryptedWord(bytes: Buffer, start: number): boolean {
  if (start + 12 > bytes.length || bytes.readUInt16LE(start) !== WORD.ident) return false
  return (bytes.readUInt16LE(start + WORD.flagsAt) & WORD.encrypted) !== 0
}

/** FilePass is one of the first records of a workbook ([MS-XLS] 2.4.117). */
function hasFilePass(bytes: Buffer, start: number): boolean {
  let at = start
  for (let count = 0; count < BIFF.maxRecords && at + 4 <= bytes.length; count++) {
    const type = bytes.readUInt16LE(at)
    if (count === 0 && (type & 0xff) !== (BIFF.beginOfFile & 0xff)) return false
    if (type === BIFF.filePass) return true
    at += 4 + bytes.readUInt16LE(at + 2)
  }
  return false
}
