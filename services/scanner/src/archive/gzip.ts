// Reads GZIP (RFC 1952): each member by itself, and all that follow one another as the one file that gunzip makes.
import { beginningOf } from './beginning.ts'
import { inflate } from './inflate.ts'
import { member, type Opened, type Reading, trouble } from './opened.ts'
import type { Site } from './site.ts'

const FLAG = { headerCheck: 2, extra: 4, name: 8, comment: 16 }
const HEADER_BYTES = 10
const TRAILER_BYTES = 8
const DEFLATED = 8

export function* readGzip(site: Site): Reading {
  const { bytes, budget } = site
  const isAtStart = site.at === 0
  const streams: { dataAt: number; sizeBytes: number }[] = []
  let at = site.at
  while (isMember(bytes, at)) {
    budget.countFile()
    site.claim(at)
    const dataAt = dataStart(bytes, at)
    const stream = bytes.subarray(dataAt)
    const result = inflate(stream, budget.nextFileBytes, 4 * stream.length)
    if (result.kind !== 'whole') {
      // Chance makes two octets of a picture look like a header; only the start of a file, or a second member, is one,
      // and what inflates without end.
      if (isAtStart || streams.length > 0 || result.kind === 'too long') yield* brokenMember(site, result.kind, stream)
      if (result.kind === 'cut') yield member('cut', result.bytes)
      if (streams.length === 0) return undefined
      break
    }
    budget.countOutput(result.bytes.length)
    yield member(`${streams.length}`, result.bytes)
    streams.push({ dataAt, sizeBytes: result.bytes.length })
    at = dataAt + result.consumedBytes
    site.cover(dataAt, at)
    at += TRAILER_BYTES
  }
  if (streams.length > 1) yield* joined(site, streams)
  return at
}

function isMember(bytes: Buffer, at: number): boolean {
  return at + HEADER_BYTES < bytes.length && bytes.readUInt16BE(at) === 0x1f8b && bytes[at + 2] === DEFLATED
}

function dataStart(bytes: Buffer, at: number): number {
  const flags = bytes[at + 3]!
  let next = at + HEADER_BYTES
  if ((flags & FLAG.extra) !== 0 && next + 2 <= bytes.length) next += 2 + bytes.readUInt16LE(next)
  for (const flag of [FLAG.name, FLAG.comment]) {
    if ((flags & flag) === 0) continue
    const end = bytes.indexOf(0, next)
    next = end < 0 ? bytes.length : end + 1
  }
  return (flags & FLAG.headerCheck) === 0 ? next : next + 2
}

function* brokenMember(site: Site, kind: 'cut' | 'broken' | 'too long', stream: Buffer): Generator<Opened> {
  yield kind === 'too long' ? trouble('size', 'too long') : trouble('damaged', kind)
  if (kind === 'cut') return
  for (const bytes of beginningOf(site, stream)) yield member('beginning', bytes)
}

/** Inflates them once more, for the files that were handed out are not ours any more. */
function* joined({ bytes, budget }: Site, streams: { dataAt: number; sizeBytes: number }[]): Generator<Opened> {
  const sizeBytes = streams.reduce((sum, stream) => sum + stream.sizeBytes, 0)
  if (sizeBytes > budget.nextFileBytes) {
    yield trouble('size', 'too long together')
    return
  }
  budget.countOutput(sizeBytes)
  const pieces = streams.map((stream) => inflate(bytes.subarray(stream.dataAt), stream.sizeBytes, stream.sizeBytes))
  yield member('joined', Buffer.concat(pieces.flatMap((piece) => (piece.kind === 'whole' ? [piece.bytes] : []))))
}
