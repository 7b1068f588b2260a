// Reads TNEF ("winmail.dat", [MS-OXTNEF]): every attribute's value, for the attachments are values, and what is
// embedded in message properties is found in them.
import { member, type Reading, trouble } from './opened.ts'
import type { Site } from './site.ts'

const ATTACH_DATA = 0x0006800f
const HEADER_BYTES = 6
/** Level, id and length before a value; a check sum behind it. */
const ATTRIBUTE_BYTES = 9
const CHECK_SUM_BYTES = 2
/** Shorter values are numbers and dates. */
const MIN_VALUE_BYTES = 16

export function* readTnef(site: Site): Reading {
  const { bytes, budget } = site
  let at = site.at + HEADER_BYTES
  while (bytes[at] === 1 || bytes[at] === 2) {
    if (at + ATTRIBUTE_BYTES > bytes.length) {
      yield trouble('damaged', 'attribute is cut')
      return bytes.length
    }
    const id = bytes.readUInt32LE(at + 1)
    const sizeBytes = bytes.readUInt32LE(at + 5)
    const start = at + ATTRIBUTE_BYTES
    const end = start + sizeBytes
    if (end > bytes.length) yield trouble('damaged', 'attribute is cut')
    if (sizeBytes >= MIN_VALUE_BYTES || id === ATTACH_DATA) {
      budget.countFile()
      const value = bytes.subarray(start, Math.min(end, bytes.length))
      budget.countOutput(value.length)
      site.cover(start, start + value.length)
      yield member(id.toString(16), value)
    }
    at = end + CHECK_SUM_BYTES
  }
  return Math.min(at, bytes.length)
}
