// Base64 as readers read it (RFC 2045 section 6.8): strictly, and in the ways that lenient ones differ.

const STRICT = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** One reading of an encoded body; `isPlain` when no reader could read it in another way. */
export interface Reading {
  bytes: Buffer
  isPlain: boolean
}

/** All readings of a body as base64. */
export function readBase64(body: Buffer): Reading[] {
  const text = body.toString('latin1')
  const joined = text.replace(/\r?\n/g, '')
  const bytes = Buffer.from(joined, 'base64')
  // Whoever encodes what was decoded gets the same text only if it was written by the rules.
  if (bytes.toString('base64') === joined) return [{ bytes, isPlain: true }]
  const lines = text.split(/\r\n|\n/)
  return distinct([
    decodeSegments(text.replace(/[^A-Za-z0-9+/=]/g, '')), // skip what does not belong, go on after padding
    Buffer.from(text.replace(/[^A-Za-z0-9+/]/g, ''), 'base64'), // skip padding as well
    Buffer.from(untilPadding(text), 'base64'), // stop at the first padding
    Buffer.from(/^[A-Za-z0-9+/=\s]*/.exec(text)![0], 'base64'), // stop at the first foreign octet
    Buffer.concat(lines.map((line) => decodeSegments(line.replace(/[^A-Za-z0-9+/=]/g, '')))), // line by line
    Buffer.concat(lines.filter((line) => STRICT.test(line.trim())).map((line) => Buffer.from(line, 'base64'))), // leave odd lines out
    Buffer.from(text.replaceAll('-', '+').replaceAll('_', '/'), 'base64'), // the URL alphabet
  ])
}

/** Decodes padded pieces that stand one after the other. */
function decodeSegments(text: string): Buffer {
  const pieces = text.match(/[A-Za-z0-9+/]+=*|=+/g) ?? []
  return Buffer.concat(pieces.map((piece) => Buffer.from(piece, 'base64')))
}

function untilPadding(text: string): string {
  const kept = text.replace(/[^A-Za-z0-9+/=]/g, '')
  const at = kept.indexOf('=')
  return at < 0 ? kept : kept.slice(0, at)
}

function distinct(candidates: Buffer[]): Reading[] {
  const kept: Buffer[] = []
  for (const bytes of candidates) if (bytes.length > 0 && !kept.some((other) => other.equals(bytes))) kept.push(bytes)
  return kept.map((bytes) => ({ bytes, isPlain: false }))
}
