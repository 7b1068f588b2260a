// What comes out of a DEFLATE stream that breaks or becomes too long: its beginning, which is worth scanning.
import type { Site } from './site.ts'
import { singleEntryZip } from './zip-single.ts'

const DEFLATED = 8
const BEGINNING_BYTES = 16 * 1024 * 1024
/** Longer than any, so that 7-Zip does not stop where a header says. */
const ENDLESS = 0xfffffff0

export function beginningOf(site: Site, stream: Buffer): Buffer[] {
  if (!site.budget.mayReadBeginning()) return []
  const bytes = stream.subarray(0, BEGINNING_BYTES)
  const zip = singleEntryZip({ bytes, method: DEFLATED, flags: 0, crc: 0, sizeBytes: ENDLESS })
  return site.unpackOther(zip, 'zip', BEGINNING_BYTES).members.map((opened) => opened.bytes)
}
