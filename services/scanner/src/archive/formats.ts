// How each format is read, and what a reader's success means for the rest of the file.
import {
  has7zEncryptedHeader,
  hasRar4EncryptedHeaders,
  hasRar5EncryptedHeaders,
  isArjGarbled,
} from './encrypted-headers.ts'
import { readGzip } from './gzip.ts'
import { isEncryptedOle } from './ole.ts'
import { type Reading, trouble } from './opened.ts'
import type { Format } from './signatures.ts'
import type { Site } from './site.ts'
import { readTar } from './tar.ts'
import { readTnef } from './tnef.ts'
import { readZipDirectoryRecord, readZipEntry } from './zip.ts'

export interface Reader {
  read(site: Site): Reading
  /** An archive counts as a level of depth; other wrappings of files do not. */
  isArchive: boolean
  /** Its magic is so short, or stands in so many programs, that behind the start of a file, not being able to read it means nothing. */
  isGuess?: boolean
}

export const readers: Record<Format, Reader> = {
  zip: { read: readZipEntry, isArchive: true },
  'zip-directory': { read: readZipDirectoryRecord, isArchive: true },
  gzip: { read: readGzip, isArchive: true },
  tar: { read: readTar, isArchive: true },
  tnef: { read: readTnef, isArchive: false, isGuess: true },
  ole: { read: readOle, isArchive: false },
  '7z': { read: unlessEncrypted('7z', has7zEncryptedHeader), isArchive: true },
  rar: { read: unlessEncrypted('Rar', hasRar4EncryptedHeaders), isArchive: true },
  rar5: { read: unlessEncrypted('Rar5', hasRar5EncryptedHeaders), isArchive: true },
  arj: { read: readArj, isArchive: true },
  lzh: { read: bySevenZip('Lzh', true), isArchive: true },
  cab: { read: bySevenZip('Cab'), isArchive: true },
  bzip2: { read: bySevenZip('bzip2', true), isArchive: true, isGuess: true },
  xz: { read: bySevenZip('xz', true), isArchive: true },
  zstd: { read: bySevenZip('zstd', true), isArchive: true, isGuess: true },
  lzma: { read: bySevenZip('lzma'), isArchive: true },
  z: { read: bySevenZip('Z'), isArchive: true },
  cpio: { read: bySevenZip('Cpio', true), isArchive: true },
  iso: { read: bySevenZip('Iso'), isArchive: true, isGuess: true },
  udf: { read: bySevenZip('Udf'), isArchive: true, isGuess: true },
  wim: { read: bySevenZip('wim'), isArchive: true, isGuess: true },
  ar: { read: bySevenZip('Ar'), isArchive: true, isGuess: true },
  rpm: { read: bySevenZip('Rpm'), isArchive: true, isGuess: true },
  xar: { read: bySevenZip('Xar'), isArchive: true, isGuess: true },
}

/** @param hasOwnHeaders the format's files begin with headers that look like archives of their own. */
function bySevenZip(type: string, hasOwnHeaders = false): Reader['read'] {
  return (site) => site.unpack(type, hasOwnHeaders)
}

function unlessEncrypted(type: string, isEncrypted: (bytes: Buffer) => boolean): Reader['read'] {
  return function* (site) {
    if (!isEncrypted(site.bytes.subarray(site.at))) return yield* site.unpack(type)
    yield trouble('encrypted', 'list of files')
    return undefined
  }
}

function* readArj(site: Site): Reading {
  const isGarbled = isArjGarbled(site.bytes.subarray(site.at))
  if (isGarbled) yield trouble('encrypted', 'garbled')
  const reading = site.unpack('Arj', true)
  let step = reading.next()
  for (; step.done !== true; step = reading.next()) {
    // 7-Zip calls garbling a method that it does not know.
    if (!(isGarbled && step.value.kind === 'trouble' && step.value.detail === 'Unsupported Method')) yield step.value
  }
  return step.value
}

/** An OLE file's streams. What 7-Zip can not read of it is no obstacle: ClamAV reads OLE itself. */
function* readOle(site: Site): Reading {
  if (isEncryptedOle(site.bytes.subarray(site.at))) yield trouble('encrypted', 'OLE')
  const reading = site.unpack('Compound')
  let step = reading.next()
  for (; step.done !== true; step = reading.next())
    if (step.value.kind === 'member' || step.value.reason !== 'damaged') yield step.value
  return step.value
}
