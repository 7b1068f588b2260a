// A MIME entity as readers may cut it: where its header section ends, and which fields it has.
import { headerEnd, parseHeader } from '@sekimori/mail/header'

export interface Entity {
  contentTypes: string[]
  encodings: string[]
  dispositions: string[]
  body: Buffer
  /** Cut by the rules, with at most one field of each kind. */
  isPlain: boolean
}

/** All ways to cut these octets into header section and body; the first is the standard's. */
export function readEntity(bytes: Buffer): Entity[] {
  const standard = headerEnd(bytes)
  const first = cut(bytes, standard < 0 ? bytes.length : standard)
  const head = bytes.subarray(0, standard < 0 ? bytes.length : standard)
  const isOrdinary = first.isPlain && standard >= 0 && !hasOddLines(head)
  if (isOrdinary) return [first]
  const readings = [{ ...first, isPlain: false }]
  for (const end of otherEnds(bytes, standard)) readings.push({ ...cut(bytes, end), isPlain: false })
  if (hasBareCr(head)) {
    const rewritten = Buffer.from(bytes.toString('latin1').replace(/\r(?!\n)/g, '\r\n'), 'latin1')
    readings.push({ ...cut(rewritten, Math.max(headerEnd(rewritten), 0) || rewritten.length), isPlain: false })
  }
  return readings
}

function cut(bytes: Buffer, end: number): Entity {
  const fields = lenientFields(bytes.subarray(0, end))
  const values = (name: string) => fields.filter((field) => field.name === name).map((field) => field.value)
  const contentTypes = values('content-type')
  const encodings = values('content-transfer-encoding')
  const dispositions = values('content-disposition')
  return {
    contentTypes,
    encodings,
    dispositions,
    body: bytes.subarray(end),
    isPlain: contentTypes.length <= 1 && encodings.length <= 1,
  }
}

/** Fields as lenient readers see them: NUL and spaces in or around the name do not count. */
function lenientFields(head: Buffer): { name: string; value: string }[] {
  const strict = parseHeader(head)
  const text = head.toString('latin1')
  const odd = [
    ...text.matchAll(
      /^[ \t\0\xef\xbb\xbf]*(content-(?:type|transfer-encoding|disposition))[ \t\0]*:([^\r\n]*(?:\r?\n[ \t][^\r\n]*)*)/gim,
    ),
  ]
  const named = odd.map((match) => ({ name: match[1]!.toLowerCase(), value: match[2]!.replaceAll('\0', '') }))
  return named.length > 0 ? named : strict
}

const HEADER_LINE = /^(?:[!-9;-~]+:|[ \t]+\S|From |>From |$)/

function hasOddLines(head: Buffer): boolean {
  const lines = head.toString('latin1').split(/\r\n|\n/)
  return (
    hasBareCr(head) ||
    head.includes(0) ||
    lines.some((line) => !HEADER_LINE.test(line) || /^[ \t]+$/.test(line)) ||
    /\n[ \t]+content-t/i.test(lines.join('\n'))
  )
}

function hasBareCr(head: Buffer): boolean {
  for (let at = head.indexOf(0x0d); at >= 0; at = head.indexOf(0x0d, at + 1)) if (head[at + 1] !== 0x0a) return true
  return false
}

/** Other places where a reader may see the header section end: a line of white space, or a line that is no field. */
function otherEnds(bytes: Buffer, standard: number): number[] {
  const ends: number[] = []
  const limit = standard < 0 ? Math.min(bytes.length, 65_536) : standard
  let start = 0
  while (start < limit && ends.length < 4) {
    const lf = bytes.indexOf(0x0a, start)
    const next = lf < 0 ? limit : lf + 1
    const line = bytes.toString('latin1', start, next).replace(/\r?\n$/, '')
    if (/^[ \t]+$/.test(line)) ends.push(next)
    else if (!HEADER_LINE.test(line)) ends.push(start)
    start = next
  }
  // Some go on reading fields behind the first empty line, when what follows looks like fields.
  if (standard >= 0 && /^content-[a-z-]+\s*:/i.test(bytes.toString('latin1', standard, standard + 40))) {
    const second = headerEnd(bytes.subarray(standard))
    if (second > 0) ends.push(standard + second)
  }
  return ends
}
