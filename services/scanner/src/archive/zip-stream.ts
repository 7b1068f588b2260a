// Reads the stream of one ZIP entry, in the way that one header describes it.
import { crc32 } from 'node:zlib'
import { beginningOf } from './beginning.ts'
import { inflate } from './inflate.ts'
import { member, type Opened, trouble } from './opened.ts'
import type { Site } from './site.ts'
import { FLAG, type ZipHeader } from './zip-header.ts'
import { singleEntryZip } from './zip-single.ts'

const STORED = 0
const DEFLATED = 8
/** What may come behind a stream whose length is not told: its descriptor, an entry, the directory. */
const NEXT_SIGNATURES = ['PK\x07\x08', 'PK\x03\x04', 'PK\x01\x02'].map((magic) => Buffer.from(magic, 'latin1'))
const DOCUMENT_ENTRY = /^(?:\[Content_Types\]\.xml$|META-INF\/|mimetype$|AndroidManifest\.xml$)/

/** Returns where the stream ends. */
export function* readZipStream(site: Site, header: ZipHeader, dataAt: number): Generator<Opened, number> {
  const end = Math.min(site.bytes.length, endOf(site.bytes, header, dataAt))
  const way = header.method === DEFLATED ? `${DEFLATED}` : `${header.method} ${end} ${header.sizeBytes}`
  if (!site.zip.isNew(dataAt, way)) return dataAt
  if (dataAt >= site.bytes.length) {
    if (header.packedBytes > 0 || header.sizeBytes > 0) site.zip.fail(dataAt, trouble('damaged', `cut: ${header.name}`))
    return dataAt
  }
  site.budget.countFile()
  if (DOCUMENT_ENTRY.test(header.name)) site.zip.isDocument = true
  // An entry that says so need not be encrypted; when it is, nothing comes out below.
  if ((header.flags & FLAG.encrypted) !== 0) site.zip.fail(dataAt, trouble('encrypted', header.name))
  switch (header.method) {
    case STORED:
      return yield* readStored(site, header, dataAt, end)
    case DEFLATED:
      return yield* readDeflated(site, header, dataAt)
    default:
      return yield* readOther(site, header, dataAt, end)
  }
}

function endOf(bytes: Buffer, { flags, packedBytes }: ZipHeader, dataAt: number): number {
  if (packedBytes > 0 || (flags & FLAG.lengthsFollow) === 0) return dataAt + packedBytes
  const ends = NEXT_SIGNATURES.map((magic) => bytes.indexOf(magic, dataAt)).filter((at) => at >= 0)
  return Math.min(bytes.length, ...ends)
}

function* readStored(site: Site, header: ZipHeader, dataAt: number, end: number): Generator<Opened, number> {
  const bytes = site.bytes.subarray(dataAt, end)
  if ((header.flags & FLAG.encrypted) !== 0 && crc32(bytes) !== header.crc) return end
  if (end - dataAt < header.packedBytes) site.zip.fail(dataAt, trouble('damaged', `cut: ${header.name}`))
  else site.zip.succeed(dataAt)
  site.budget.countOutput(bytes.length)
  site.cover(dataAt, end)
  yield member(header.name, bytes)
  return end
}

function* readDeflated(site: Site, header: ZipHeader, dataAt: number): Generator<Opened, number> {
  const { zip, budget } = site
  const stream = site.bytes.subarray(dataAt)
  const result = inflate(stream, budget.nextFileBytes, header.sizeBytes)
  switch (result.kind) {
    case 'whole':
      if ((header.flags & FLAG.encrypted) === 0 || crc32(result.bytes) === header.crc) zip.succeed(dataAt)
      budget.countOutput(result.bytes.length)
      site.cover(dataAt, dataAt + result.consumedBytes)
      yield member(header.name, result.bytes)
      return dataAt + result.consumedBytes
    case 'cut':
      zip.fail(dataAt, trouble('damaged', `cut: ${header.name}`))
      budget.countOutput(result.bytes.length)
      yield member(header.name, result.bytes)
      return dataAt
    case 'too long':
      yield trouble('size', `too long: ${header.name}`)
      break
    case 'broken':
      zip.fail(dataAt, trouble('damaged', `broken: ${header.name}`))
  }
  if ((header.flags & FLAG.encrypted) !== 0 || site.isDoubtful) return dataAt
  for (const bytes of beginningOf(site, stream)) yield member(header.name, bytes)
  return dataAt
}

/** Methods that only 7-Zip knows. */
function* readOther(site: Site, header: ZipHeader, dataAt: number, end: number): Generator<Opened, number> {
  if ((header.flags & FLAG.encrypted) !== 0) return end
  const zip = singleEntryZip({ ...header, bytes: site.bytes.subarray(dataAt, end) })
  const { members, troubles, limit } = site.unpackOther(zip, 'zip', site.budget.limits.fileBytes)
  const [problem] = troubles.filter(({ detail }) => detail !== 'CRC Failed')
  if (problem === undefined && limit === undefined) {
    site.zip.succeed(dataAt)
    site.cover(dataAt, end)
  }
  for (const { bytes } of members) yield member(header.name, bytes)
  if (limit !== undefined) throw limit
  if (problem?.reason === 'size') yield problem
  else if (problem !== undefined) site.zip.fail(dataAt, trouble(problem.reason, `${problem.detail}: ${header.name}`))
  return problem === undefined ? end : dataAt
}
