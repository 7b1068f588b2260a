// Files that stand uuencoded in text (POSIX uuencode, both alphabets), with or without an announcement in the header.

const BEGIN = Buffer.from('begin')
/** Readers differ in what they take for a mode, and in the white space around it; a name there must be. */
const BEGIN_LINE = /^begin(-base64)?[ \t]+(?:[0-7]{1,6}[ \t]+)?\S/
const LONGEST_LINE = 1_000
const MOST_FILES = 100

/** Every file found; one that breaks off is read as far as it goes. */
export function* readUuencoded(body: Buffer): Generator<Buffer> {
  let files = 0
  for (let at = body.indexOf(BEGIN); at >= 0 && files < MOST_FILES; at = body.indexOf(BEGIN, at)) {
    const end = lineEnd(body, at)
    const begin = BEGIN_LINE.exec(body.toString('latin1', at, Math.min(end, at + LONGEST_LINE)))
    const before = body[at - 1]
    const isAtLineStart = at === 0 || before === 0x0a || before === 0x0d
    at += BEGIN.length
    if (begin === null || !isAtLineStart) continue
    const file = begin[1] === undefined ? readLines(body, end) : readBase64Lines(body, end)
    if (file.bytes.length === 0) continue
    files++
    yield file.bytes
    at = Math.max(at, file.end)
  }
}

interface File {
  bytes: Buffer
  end: number
}

function readLines(body: Buffer, from: number): File {
  const parts: Buffer[] = []
  let at = from
  while (at < body.length) {
    const end = lineEnd(body, at)
    const line = trimmed(body, at, end)
    if (line.startsWith('begin') && BEGIN_LINE.test(line)) break
    at = end
    if (line === 'end') break
    if (line !== '' && isLine(line)) parts.push(decodeLine(line))
  }
  return { bytes: Buffer.concat(parts), end: at }
}

function readBase64Lines(body: Buffer, from: number): File {
  const stops = ['\n====', '\nbegin'].map((text) => body.indexOf(text, from)).filter((at) => at >= 0)
  const end = Math.min(body.length, ...stops)
  return { bytes: Buffer.from(body.toString('latin1', from, end), 'base64'), end }
}

/** Whether it may be one: its length says at most what stands there, give or take what was trimmed. */
function isLine(line: string): boolean {
  const code = line.charCodeAt(0)
  const octets = sextet(code)
  return code >= 0x20 && code <= 0x60 && Math.ceil((octets * 4) / 3) <= line.length - 1 + 4
}

function trimmed(body: Buffer, from: number, end: number): string {
  return body.toString('latin1', from, Math.min(end, from + LONGEST_LINE)).replace(/[\r\n]+$/, '')
}

/** Behind the line that goes on at `from`; CR by itself ends one, too. */
function lineEnd(body: Buffer, from: number): number {
  let at = from
  while (at < body.length && body[at] !== 0x0a && body[at] !== 0x0d) at++
  return body[at] === 0x0d && body[at + 1] === 0x0a ? at + 2 : at + 1
}

function decodeLine(line: string): Buffer {
  const bytes = Buffer.alloc(Math.ceil((line.length - 1) / 4) * 3)
  for (let i = 1, at = 0; i < line.length; i += 4, at += 3) {
    const [a, b, c, d] = [0, 1, 2, 3].map((k) => sextet(line.charCodeAt(i + k) || 0x20)) as [
      number,
      number,
      number,
      number,
    ]
    bytes[at] = (a << 2) | (b >> 4)
    bytes[at + 1] = ((b & 15) << 4) | (c >> 2)
    bytes[at + 2] = ((c & 3) << 6) | d
  }
  return bytes.subarray(0, sextet(line.charCodeAt(0)))
}

function sextet(code: number): number {
  return (code - 0x20) & 0x3f
}
