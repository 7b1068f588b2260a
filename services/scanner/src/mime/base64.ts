// Base64 as readers read it (RFC 2045 section 6.8): strictly, and in the ways that lenient ones differ.
import { hash } from 'node:crypto'

/** One reading of an encoded body; `isPlain` when no reader could read it in another way. */
export interface Reading {
  bytes: Buffer
  isPlain: boolean
}

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const FOREIGN = -1
const PADDING = -2
const LINE_END = -3
const STANDARD = tableOf(ALPHABET)
const URL_SAFE = tableOf(ALPHABET.replace('+', '-').replace('/', '_'))

/** What a reader does where the rules say nothing. */
interface Habit {
  table: Int8Array
  padding: 'go on' | 'skip' | 'stop'
  foreign: 'skip' | 'stop'
  /** Each line stands for itself. */
  isLineByLine: boolean
  /** Lines with foreign octets, or of a length that is no multiple of four, do not count. */
  isStrictOnLines: boolean
}

const USUAL: Habit = {
  table: STANDARD,
  padding: 'go on',
  foreign: 'skip',
  isLineByLine: false,
  isStrictOnLines: false,
}
const OTHERS: Habit[] = [
  { ...USUAL, padding: 'skip' },
  { ...USUAL, padding: 'stop' },
  { ...USUAL, foreign: 'stop' },
  { ...USUAL, isLineByLine: true },
  { ...USUAL, isStrictOnLines: true },
  { ...USUAL, table: URL_SAFE },
]

/** All readings of a body as base64, each once. */
export function* readBase64(body: Buffer): Generator<Reading> {
  const usual = decode(body, USUAL)
  if (usual.bytes.length > 0) yield usual
  if (usual.isPlain) return
  const seen = new Set([hash('sha1', usual.bytes)])
  for (const habit of OTHERS) {
    const { bytes } = decode(body, habit)
    const key = hash('sha1', bytes)
    if (bytes.length > 0 && !seen.has(key)) yield { bytes, isPlain: false }
    seen.add(key)
  }
}

/** Whether a body is nothing but lines of base64, without a header that says so. Linear, and quick on what is not. */
export function isBase64Only(body: Buffer): boolean {
  let hasSpace = false
  for (const octet of body) {
    const value = STANDARD[octet]!
    if (octet === 0x20 || octet === 0x09) hasSpace = true
    else if (value === LINE_END) hasSpace = false
    // Words with spaces between are text.
    else if (value === FOREIGN || hasSpace) return false
  }
  return body.length >= 16
}

/** Blocks of lines that are nothing but base64, wherever in a text they stand. */
export function* base64Blocks(text: Buffer): Generator<Buffer> {
  let from = -1
  let count = 0
  for (let at = 0; at < text.length; ) {
    const lf = text.indexOf(0x0a, at)
    const next = lf < 0 ? text.length : lf + 1
    const isBlockLine = isBase64Line(text, at, next)
    if (isBlockLine && from < 0) from = at
    if (from >= 0 && (!isBlockLine || next === text.length)) {
      const block = text.subarray(from, isBlockLine ? next : at)
      if (block.length >= MIN_BLOCK_BYTES) {
        yield block
        if (++count >= MOST_BLOCKS) return
      }
      from = -1
    }
    at = next
  }
}

const MIN_BLOCK_BYTES = 48
const MOST_BLOCKS = 200

function isBase64Line(text: Buffer, from: number, to: number): boolean {
  let letters = 0
  for (let at = from; at < to; at++) {
    const value = STANDARD[text[at]!]!
    if (value === FOREIGN) return false
    if (value >= 0) letters++
  }
  return letters > 0
}

function decode(body: Buffer, habit: Habit): Reading {
  if (habit.isStrictOnLines) return decode(goodLines(body), { ...habit, isStrictOnLines: false })
  const { table, padding, foreign, isLineByLine } = habit
  const bytes = Buffer.allocUnsafe(Math.ceil((body.length * 3) / 4))
  let length = 0
  let bits = 0
  let count = 0
  let isPlain = true
  let isPadded = false
  for (let at = 0; at < body.length; at++) {
    const value = table[body[at]!]!
    if (value >= 0) {
      if (isPadded) isPlain = false
      bits = (bits << 6) | value
      if (++count === 2) bytes[length++] = bits >> 4
      else if (count === 3) bytes[length++] = bits >> 2
      else if (count === 4) {
        bytes[length++] = bits
        count = 0
      }
      continue
    }
    if (value === LINE_END && !isLineByLine) continue
    if (value === PADDING) {
      if (count < 2 && !isPadded) isPlain = false
      isPadded = true
      if (padding === 'skip') continue
      count = 0
      if (padding === 'stop') break
    } else if (value === LINE_END) count = 0
    else {
      isPlain = false
      if (foreign === 'stop') break
    }
  }
  return { bytes: bytes.subarray(0, length), isPlain: isPlain && count === 0 }
}

function goodLines(body: Buffer): Buffer {
  const good: Buffer[] = []
  for (let at = 0; at < body.length; ) {
    const lf = body.indexOf(0x0a, at)
    const next = lf < 0 ? body.length : lf + 1
    let end = next
    while (end > at && body[end - 1]! <= 0x20) end--
    if ((end - at) % 4 === 0 && isBase64Line(body, at, end)) good.push(body.subarray(at, end))
    at = next
  }
  return Buffer.concat(good)
}

function tableOf(alphabet: string): Int8Array {
  const table = new Int8Array(256).fill(FOREIGN)
  for (const [value, letter] of [...alphabet].entries()) table[letter.charCodeAt(0)] = value
  table['='.charCodeAt(0)] = PADDING
  table[0x0d] = LINE_END
  table[0x0a] = LINE_END
  return table
}
