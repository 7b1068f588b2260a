// Reads tar archives member by member; its files are parts of the archive, so nothing is copied.
import { type Member, member, type Reading, trouble } from './opened.ts'
import type { Site } from './site.ts'
import { BLOCK_BYTES, hasTarMagic, isTarHeader, readTarHeader } from './tar-header.ts'

/** Members that hold no file but tell of the next one (pax headers, GNU long names). */
const ABOUT_THE_NEXT = /^[xgXLKV]$/

/** Reads a run of headers and members from the place on. */
export function* readTar(site: Site): Reading {
  const { bytes, budget } = site
  let at = site.at
  let paxSizeBytes: number | undefined
  while (isTarHeader(bytes, at) || hasTarMagic(bytes, at)) {
    site.claim(at)
    const { name, sizeBytes, type } = readTarHeader(bytes, at)
    const start = at + BLOCK_BYTES
    budget.countFile()
    for (const size of new Set([sizeBytes, paxSizeBytes ?? sizeBytes])) {
      if (size > bytes.length - start || Number.isNaN(size)) yield trouble('damaged', `length of ${name}`)
      yield* file(site, name, start, size)
    }
    if (type === 'S') yield* site.unpack('tar', false, at)
    const end = start + roundUp(paxSizeBytes ?? sizeBytes)
    paxSizeBytes = /[xX]/.test(type)
      ? paxSize(bytes.subarray(start, end))
      : ABOUT_THE_NEXT.test(type)
        ? paxSizeBytes
        : undefined
    // A length that leads out of the file is none: other headers may follow right behind.
    at = end <= bytes.length + BLOCK_BYTES ? end : start
  }
  return at
}

function* file(site: Site, name: string, start: number, sizeBytes: number): Generator<Member> {
  const end = Math.min(site.bytes.length, start + (Number.isNaN(sizeBytes) ? 0 : sizeBytes))
  if (end === start) return
  site.budget.countOutput(end - start)
  site.cover(start, end)
  yield member(name, site.bytes.subarray(start, end))
}

function roundUp(sizeBytes: number): number {
  return Number.isNaN(sizeBytes) ? 0 : Math.ceil(sizeBytes / BLOCK_BYTES) * BLOCK_BYTES
}

function paxSize(records: Buffer): number | undefined {
  const size = /(?:^|\n)\d+ size=(\d{1,15})\n/.exec(records.toString('latin1', 0, 65_536))
  return size === null ? undefined : Number(size[1])
}
