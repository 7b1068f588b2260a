// Quoted-printable (RFC 2045 section 6.7), decoded the lenient way; a body that follows the rules has one reading.
import type { Reading } from './base64.ts'

const BROKEN = /=(?![0-9A-F]{2}|\r?\n)/

/** All readings of a body as quoted-printable. */
export function readQuotedPrintable(body: Buffer): Reading[] {
  const text = body.toString('latin1')
  const bytes = decode(text)
  if (!BROKEN.test(text) && !/=[ \t]+\r?\n/.test(text)) return [{ bytes, isPlain: true }]
  const strict = decode(text.replace(/=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n)/g, ''))
  return bytes.equals(strict)
    ? [{ bytes, isPlain: false }]
    : [
        { bytes, isPlain: false },
        { bytes: strict, isPlain: false },
      ]
}

function decode(text: string): Buffer {
  const joined = text.replace(/=[ \t]*(?:\r\n|\n|\r|$)/g, '')
  return Buffer.from(
    joined.replace(/=([0-9A-Fa-f]{2})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16))),
    'latin1',
  )
}
