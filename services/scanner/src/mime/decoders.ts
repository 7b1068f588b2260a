// The decodings of a body that some reader may apply: each encoding that is named, by the rules or nearly, and none at all.
import { base64Blocks, isBase64Only, type Reading, readBase64 } from './base64.ts'
import { readQuotedPrintable } from './quoted-printable.ts'

const IDENTITY = new Set(['', '7bit', '8bit', 'binary'])
/** Two encodings one on the other are looked for in bodies up to this. */
const LONGEST_TWICE = 4 * 1024 * 1024

/** @param encodings the values of the Content-Transfer-Encoding fields. */
export function* readBody(body: Buffer, encodings: string[]): Generator<Reading> {
  const names = encodings.map((value) =>
    value
      .replace(/\r?\n[ \t]/g, ' ')
      .trim()
      .toLowerCase(),
  )
  const [only = ''] = names
  if (names.length > 1 || encodings[0]?.endsWith(' ')) return yield* byNames(names, body)
  if (only === 'base64') yield* readBase64(body)
  else if (only === 'quoted-printable') yield* readQuotedPrintable(body)
  else if (IDENTITY.has(only)) {
    yield { bytes: body, isPlain: true }
    if (isBase64Only(body)) yield* odd(readBase64(body))
  } else yield* byNames(names, body)
}

/** Readings of a body in a mail that breaks the rules anyway: whatever is encoded in it, announced or not. */
export function* readAnyhow(body: Buffer): Generator<Reading> {
  for (const block of base64Blocks(body)) yield* odd(readBase64(block))
  if (body.includes('=3D') || QUOTED.test(body.toString('latin1', 0, 4_096))) yield* odd(readQuotedPrintable(body))
}

const QUOTED = /(?:=[0-9A-F]{2}){4}|=[0-9A-F]{2}[\s\S]*=\r?\n/i

function* byNames(names: string[], body: Buffer): Generator<Reading> {
  const text = names.join(' ')
  const first = [body]
  yield { bytes: body, isPlain: false }
  const isAny = !/base|64|quoted|print|qp|\buu|bit|binary/.test(text)
  if (/base|64/.test(text) || isAny) for (const { bytes } of readBase64(body)) first.push(bytes)
  if (/quoted|print|qp/.test(text) || isAny) for (const { bytes } of readQuotedPrintable(body)) first.push(bytes)
  for (const bytes of first.slice(1)) yield { bytes, isPlain: false }
  if (names.length > 1 && body.length <= LONGEST_TWICE) for (const bytes of first.slice(1)) yield* twice(bytes)
}

/** Two encodings may have been applied one after the other. */
function* twice(bytes: Buffer): Generator<Reading> {
  if (isBase64Only(bytes)) yield* odd(readBase64(bytes))
  yield* odd(readQuotedPrintable(bytes))
}

function* odd(readings: Iterable<Reading>): Generator<Reading> {
  for (const { bytes } of readings) yield { bytes, isPlain: false }
}
