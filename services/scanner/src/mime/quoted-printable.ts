// Quoted-printable (RFC 2045 section 6.7), decoded the lenient way; a body that follows the rules has one reading.
import type { Reading } from './base64.ts'

const EQUALS = 0x3d
const CR = 0x0d
const LF = 0x0a

/** All readings of a body as quoted-printable. */
export function* readQuotedPrintable(body: Buffer): Generator<Reading> {
  const usual = decode(body, true)
  yield usual
  if (usual.isPlain) return
  // Some keep an equals sign that means nothing, some leave it out.
  const other = decode(body, false)
  if (!other.bytes.equals(usual.bytes)) yield { ...other, isPlain: false }
}

function decode(body: Buffer, isKept: boolean): Reading {
  const bytes = Buffer.allocUnsafe(body.length)
  let length = 0
  let isPlain = true
  for (let at = 0; at < body.length; ) {
    const octet = body[at]!
    if (octet !== EQUALS) {
      bytes[length++] = octet
      at++
      continue
    }
    const high = digit(body[at + 1])
    const low = digit(body[at + 2])
    if (high >= 0 && low >= 0) {
      if (body[at + 1]! > 0x46 || body[at + 2]! > 0x46) isPlain = false // small letters
      bytes[length++] = (high << 4) | low
      at += 3
      continue
    }
    const end = softBreakEnd(body, at + 1)
    if (end !== at + 2 && !(end === at + 3 && body[at + 1] === CR)) isPlain = false
    if (end > 0) at = end
    else {
      if (isKept) bytes[length++] = octet
      at++
    }
  }
  return { bytes: bytes.subarray(0, length), isPlain }
}

/** Where the line goes on behind a soft break; 0 when there is none. White space may stand before its line end. */
function softBreakEnd(body: Buffer, from: number): number {
  let at = from
  while (body[at] === 0x20 || body[at] === 0x09) at++
  if (at >= body.length) return at
  if (body[at] === CR) return body[at + 1] === LF ? at + 2 : at + 1
  return body[at] === LF ? at + 1 : 0
}

function digit(octet: number | undefined): number {
  if (octet === undefined) return -1
  if (octet >= 0x30 && octet <= 0x39) return octet - 0x30
  const letter = octet & ~0x20
  return letter >= 0x41 && letter <= 0x46 ? letter - 0x37 : -1
}
