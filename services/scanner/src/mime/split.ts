// Cuts the body of a multipart at its delimiter lines (RFC 2046 section 5.1.1), and finds delimiters that no header names.
export interface Split {
  parts: Buffer[]
  /** Preamble and epilogue. */
  outside: Buffer[]
  /** No reader cuts it in another way. */
  isOrdinary: boolean
}

/** More than are ever looked at. */
const MOST_PARTS = 20_000
const CR = 0x0d
const LF = 0x0a
const DASH = 0x2d

/**
 * Delimiter lines are those that hold nothing else. `isLenient`: lines that begin with the delimiter count, too.
 * What is behind the closing delimiter is read as parts as well as an epilogue, for some readers go on there.
 */
export function splitMultipart(body: Buffer, boundary: string, isLenient: boolean): Split {
  const delimiter = Buffer.from(`--${boundary}`, 'latin1')
  const split: Split = { parts: [], outside: [], isOrdinary: true }
  let from = 0
  let isInside = false
  let isClosed = false
  for (let at = body.indexOf(delimiter); at >= 0; at = body.indexOf(delimiter, at + delimiter.length)) {
    const before = body[at - 1]
    if (at > 0 && before !== LF) split.isOrdinary = false
    if (at > 0 && before !== LF && before !== CR) continue
    const { isWhole, isClosing, next } = restOfLine(body, at + delimiter.length)
    if (!isWhole || isClosed) split.isOrdinary = false
    if (!isWhole && !isLenient) continue
    const piece = withoutLastLineEnd(body.subarray(from, Math.max(from, at)))
    if (isInside) split.parts.push(piece)
    if (split.parts.length > MOST_PARTS) break
    else split.outside.push(piece)
    isInside = true
    isClosed ||= isClosing
    from = next
  }
  const last = body.subarray(from)
  if (isClosed || !isInside) split.outside.push(last)
  if (isInside && !isBlank(last)) split.parts.push(last)
  if (!isClosed || !isBlank(last)) split.isOrdinary = false
  return split
}

interface RestOfLine {
  /** Nothing but the delimiter, perhaps the closing one, and white space. */
  isWhole: boolean
  isClosing: boolean
  next: number
}

function restOfLine(body: Buffer, from: number): RestOfLine {
  const isClosing = body[from] === DASH && body[from + 1] === DASH
  let at = isClosing ? from + 2 : from
  while (body[at] === 0x20 || body[at] === 0x09) at++
  const isWhole = at >= body.length || body[at] === CR || body[at] === LF
  while (at < body.length && body[at] !== LF && body[at] !== CR) at++
  return { isWhole, isClosing, next: body[at] === CR && body[at + 1] === LF ? at + 2 : Math.min(at + 1, body.length) }
}

/** The line end before a delimiter belongs to the delimiter. */
function withoutLastLineEnd(piece: Buffer): Buffer {
  const end = piece.length
  if (piece[end - 1] !== LF) return piece
  return piece.subarray(0, piece[end - 2] === CR ? end - 2 : end - 1)
}

function isBlank(bytes: Buffer): boolean {
  for (const octet of bytes) if (octet > 0x20) return false
  return true
}

const MOST_SNIFFED = 6
const LONGEST_BOUNDARY = 300

/** Boundaries by the lines of the body alone: what stands behind two dashes right before a field of a part. */
export function sniffBoundaries(body: Buffer): string[] {
  const found = new Set<string>()
  const look = (at: number) => {
    const line = /^--([^\r\n]+)(?:\r\n|[\r\n])\s*content-/i.exec(body.toString('latin1', at, at + LONGEST_BOUNDARY))
    if (line !== null) found.add(line[1]!.trimEnd())
  }
  look(0)
  for (const before of ['\n--', '\r--'])
    for (let at = body.indexOf(before); at >= 0 && found.size < MOST_SNIFFED; at = body.indexOf(before, at + 3))
      look(at + 1)
  return [...found]
}
