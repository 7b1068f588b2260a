// The header section of a mail (RFC 5322 section 2.2), read with offsets so that single fields can be struck out.

/** One field: `name` in lower case, `value` as it stands (folds included, latin1), offsets of its first and last octet + 1. */
export interface HeaderField {
  name: string
  value: string
  start: number
  end: number
}

const CR = 0x0d
const LF = 0x0a

/** The offset where the body begins (after the empty line), or -1 when the header section does not end in these bytes. */
export function headerEnd(bytes: Buffer): number {
  if (bytes[0] === LF) return 1
  if (bytes[0] === CR && bytes[1] === LF) return 2
  for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3
  }
  return -1
}

/** The fields of a header section; reading stops at the empty line. Lines that are no field are left out. */
export function parseHeader(bytes: Buffer): HeaderField[] {
  const end = headerEnd(bytes)
  const limit = end < 0 ? bytes.length : end
  const fields: HeaderField[] = []
  let start = 0
  while (start < limit) {
    const next = endOfField(bytes, start, limit)
    const text = bytes.toString('latin1', start, next)
    const colon = text.indexOf(':')
    const name = colon > 0 ? text.slice(0, colon).trimEnd().toLowerCase() : ''
    if (/^[\x21-\x39\x3b-\x7e]+$/.test(name))
      fields.push({ name, value: text.slice(colon + 1).replace(/\r?\n$/, ''), start, end: next })
    start = next
  }
  return fields
}

/**
 * How many octets at the start continue a field that isn't there (RFC 5322 section 2.2.3): under a line put above them
 * they would become a part of it.
 */
export function strayFoldSize(bytes: Buffer): number {
  if (bytes[0] !== 0x20 && bytes[0] !== 0x09) return 0
  const end = headerEnd(bytes)
  return endOfField(bytes, 0, end < 0 ? bytes.length : end)
}

function endOfField(bytes: Buffer, start: number, limit: number): number {
  for (let at = start; ; ) {
    const lf = bytes.indexOf(LF, at)
    if (lf < 0 || lf + 1 >= limit) return limit
    const following = bytes[lf + 1]
    if (following !== 0x20 && following !== 0x09) return lf + 1
    at = lf + 1
  }
}

/** The first field of this name, unfolded and trimmed, as UTF-8 text; undefined when there is none. */
export function headerValue(fields: HeaderField[], name: string): string | undefined {
  const field = fields.find((candidate) => candidate.name === name)
  return field === undefined ? undefined : unfold(field.value)
}

/** A field's value on one line (RFC 5322 section 2.2.3). */
export function unfold(value: string): string {
  return Buffer.from(value, 'latin1')
    .toString('utf8')
    .replace(/\r?\n(?=[ \t])/g, '')
    .trim()
}
