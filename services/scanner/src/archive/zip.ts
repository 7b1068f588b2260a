// Reads ZIP by every local header that is found and by every record of a central directory, trusting neither: what
// common tools extract by the one or by the other comes out.
import { type Reading, trouble } from './opened.ts'
import type { Site } from './site.ts'
import { type DirectoryRecord, type LocalHeader, readDirectoryRecord, readLocalHeader } from './zip-header.ts'
import type { ZipEnd } from './zip-index.ts'
import { readZipStream } from './zip-stream.ts'

const LOCAL_SIGNATURE = 0x04034b50
const END_SIGNATURE = Buffer.from('PK\x05\x06', 'latin1')
const END_BYTES = 22
const RECORD_BYTES = 46
/** End records that are looked at; archives one behind the other have one each. */
const MAX_ENDS = 64

/** Reads the entry whose local header is at the place. */
export function* readZipEntry(site: Site): Reading {
  const header = readLocalHeader(site.bytes, site.at)
  if (header === undefined) {
    if (site.at === 0) yield trouble('damaged', 'local header is cut')
    return undefined
  }
  site.zip.firstLocalAt ??= site.at
  return yield* readZipStream(site, header, header.dataAt)
}

/** Reads the entry that the record of a central directory at the place tells of. */
export function* readZipDirectoryRecord(site: Site): Reading {
  const record = readDirectoryRecord(site.bytes, site.at)
  const isFolder = record.name.endsWith('/') && record.packedBytes === 0
  const locals = localsOf(site, record)
  for (const local of locals) {
    if (!isAsTold(site, record, local)) yield* readZipStream(site, record, local.dataAt)
  }
  if (locals.length === 0 && !isFolder) yield trouble('damaged', `no entry: ${record.name}`)
  return site.at + RECORD_BYTES
}

/** Whether the local header said the same, so that the stream was read so already. */
function isAsTold({ zip }: Site, { method, packedBytes }: DirectoryRecord, local: LocalHeader): boolean {
  return zip.hasRead(local.dataAt) && local.method === method && local.packedBytes === packedBytes
}

/** The local headers that the record may mean. */
function localsOf(site: Site, { offset, name }: DirectoryRecord): LocalHeader[] {
  const { bytes } = site
  const places = [...basesOf(site)].map((base) => base + offset)
  const exact = places.filter((at) => at + 4 <= bytes.length && bytes.readUInt32LE(at) === LOCAL_SIGNATURE)
  const locals = (exact.length > 0 ? exact : places).flatMap((at) => readLocalHeader(bytes, at) ?? [])
  if (exact.length > 0) return locals
  // Without any where it should be, one whose signature is spoiled may still be there. What has another name as well is
  // none: to read from there would make files of what is around, this record among them, again and again.
  return locals.filter((local) => local.name === name)
}

/** Where offsets may count from: what makes the end record true, the start of the file, or the first entry. */
function basesOf({ bytes, at, zip }: Site): Set<number> {
  zip.ends ??= [...endRecords(bytes)]
  const around = zip.ends.filter(({ from, to }) => at >= from && at < to)
  const ends = around.length > 0 ? around : zip.ends
  const bases = ends.map(({ base }) => base).filter((base) => base >= 0)
  return new Set([...bases, 0, ...(around.length > 0 ? [] : [zip.firstLocalAt ?? 0])])
}

function* endRecords(bytes: Buffer): Generator<ZipEnd> {
  let at = bytes.indexOf(END_SIGNATURE)
  for (let count = 0; at >= 0 && at + END_BYTES <= bytes.length && count < MAX_ENDS; count++) {
    const from = at - bytes.readUInt32LE(at + 12)
    yield { from, to: at, base: from - bytes.readUInt32LE(at + 16) }
    at = bytes.indexOf(END_SIGNATURE, at + 1)
  }
}
