// A MIME entity as readers may cut it: where its header section ends, and which fields it has.
import { headerEnd } from '@sekimori/mail/header'
import { hasBareCr, isFieldLine, linesOf, withLineEnds } from './lines.ts'

export interface Entity {
  contentTypes: string[]
  encodings: string[]
  dispositions: string[]
  body: Buffer
  /** Cut by the rules, with at most one field of each kind. */
  isPlain: boolean
}

/** Where a header section may end besides the place that the rules name. */
const MOST_OTHER_ENDS = 4
/** A field of more octets is read so far; no reader that is known goes further. */
const LONGEST_FIELD = 65_536
const MOST_FIELDS = 64
/** Behind this much of a header section without an end, other ends are not looked for. */
const HEADER_SPAN = 65_536

/** All ways to cut these octets into header section and body; the first is the standard's. */
export function readEntity(bytes: Buffer): Entity[] {
  const standard = headerEnd(bytes)
  const end = standard < 0 ? bytes.length : standard
  const head = bytes.subarray(0, end)
  const first = cut(bytes, end)
  const isOdd = hasBareCr(head) || head.includes(0) || [...oddLines(head, 1)].length > 0
  if (first.isPlain && standard >= 0 && !isOdd) return [first, ...goneOn(bytes, standard)]
  const readings = [{ ...first, isPlain: false }, ...goneOn(bytes, end)]
  for (const other of otherEnds(bytes, end)) readings.push({ ...cut(bytes, other), isPlain: false })
  if (hasBareCr(head)) {
    const rewritten = withLineEnds(bytes)
    readings.push({ ...cut(rewritten, Math.max(headerEnd(rewritten), 0) || rewritten.length), isPlain: false })
  }
  return readings
}

function cut(bytes: Buffer, end: number): Entity {
  const { contentTypes, encodings, dispositions, isPlain } = fieldsOf(bytes.subarray(0, end))
  return { contentTypes, encodings, dispositions, body: bytes.subarray(end), isPlain }
}

type Fields = Omit<Entity, 'body'>

/** Fields as lenient readers see them: NUL, spaces and folds in or around the name do not count, nor does a missing colon. */
function fieldsOf(head: Buffer): Fields {
  const fields: Fields = { contentTypes: [], encodings: [], dispositions: [], isPlain: true }
  let count = 0
  for (const [from, to] of linesOf(head)) {
    if (!mayBeContentField(head, from, to)) continue
    const text = head.toString('latin1', from, Math.min(fieldEnd(head, to), from + LONGEST_FIELD)).replaceAll('\0', '')
    const match = CONTENT_FIELD.exec(text)
    if (match === null) continue
    const value = text.slice(match[0].length).replace(/[\r\n]+$/, '')
    if (!/^content-(?:type|transfer-encoding|disposition):/i.test(text)) fields.isPlain = false
    listOf(fields, match[1]!.replace(/[\s-]/g, '').toLowerCase()).push(value)
    if (++count >= MOST_FIELDS) break
  }
  const { contentTypes, encodings } = fields
  if (contentTypes.length > 1 || encodings.length > 1) fields.isPlain = false
  return fields
}

const CONTENT_FIELD =
  /^[^\w\r\n]*content\s*-\s*(type|transfer\s*-\s*encoding|encoding|disposition)s?["' \t]*(?:\r?\n[ \t]+)?(?::|=|(?=[ \t]))/i

function listOf(fields: Fields, name: string): string[] {
  if (name === 'type') return fields.contentTypes
  return name === 'disposition' ? fields.dispositions : fields.encodings
}

/** Whether "content" stands at the start of the line, behind octets that are no letters. */
function mayBeContentField(head: Buffer, from: number, to: number): boolean {
  for (let at = from; at < Math.min(to, from + 16); at++) {
    const letter = head[at]! | 0x20
    if (letter === 0x63) return true // c
    if (letter > 0x60 && letter < 0x7b) return false
  }
  return false
}

function fieldEnd(head: Buffer, lineEnd: number): number {
  let at = lineEnd
  while (at < head.length && (head[at] === 0x20 || head[at] === 0x09)) {
    const lf = head.indexOf(0x0a, at)
    if (lf < 0 || lf - lineEnd > LONGEST_FIELD) return head.length
    at = lf + 1
  }
  return at
}

/** Lines that are no field, nor the continuation of one. */
function* oddLines(head: Buffer, most: number): Generator<[number, number, boolean]> {
  let count = 0
  for (const [from, to] of linesOf(head)) {
    const isBlank = /^[ \t]+\r?\n?$/.test(head.toString('latin1', from, Math.min(to, from + 80)))
    if (!isBlank && isFieldLine(head, from, to) && !isFoldedContentField(head, from)) continue
    yield [from, to, isBlank]
    if (++count >= most) return
  }
}

/** A field that only a reader who overlooks white space takes for one of its own. */
function isFoldedContentField(head: Buffer, from: number): boolean {
  const octet = head[from]
  return (octet === 0x20 || octet === 0x09) && /^[ \t]+content-t/i.test(head.toString('latin1', from, from + 100))
}

/** Other places where a reader may see the header section end: a line of white space, or a line that is no field. */
function otherEnds(bytes: Buffer, standardEnd: number): number[] {
  const head = bytes.subarray(0, Math.min(standardEnd, HEADER_SPAN))
  return [...oddLines(head, MOST_OTHER_ENDS)].map(([from, to, isBlank]) => (isBlank ? to : from))
}

/** Some go on reading fields behind the first empty lines, when what follows looks like fields. */
function goneOn(bytes: Buffer, end: number): Entity[] {
  let at = end
  while (bytes[at] === 0x0d || bytes[at] === 0x0a) at++
  const start = bytes.toString('latin1', at, at + 100)
  const isField = end <= 2 ? /^[!-9;-~]+\s*:/.test(start) : /^content-[a-z-]+\s*:/i.test(start)
  if (!isField) return []
  const second = headerEnd(bytes.subarray(at))
  const entity = cut(bytes.subarray(at), second < 0 ? bytes.length - at : second)
  return entity.contentTypes.length + entity.encodings.length === 0 ? [] : [{ ...entity, isPlain: false }]
}
