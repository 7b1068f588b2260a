// Files that stand uuencoded in text (POSIX uuencode, both alphabets), with or without an announcement in the header.

const BEGIN = /^begin(-base64)? +[0-7]{3,4} +\S/
const MOST_FILES = 100

/** Every file found; one that breaks off is read as far as it goes. */
export function readUuencoded(body: Buffer): Buffer[] {
  if (!body.includes('begin')) return []
  const files: Buffer[] = []
  let parts: Buffer[] | undefined
  let decode = decodeLine
  const finish = () => {
    if (parts !== undefined && parts.length > 0) files.push(Buffer.concat(parts))
    parts = undefined
  }
  for (const line of body.toString('latin1').split(/\r?\n/)) {
    const begin = BEGIN.exec(line)
    if (begin !== null) {
      finish()
      if (files.length >= MOST_FILES) break
      parts = []
      decode = begin[1] === undefined ? decodeLine : (text) => Buffer.from(text, 'base64')
    } else if (line === 'end' || line === '====') finish()
    else if (line !== '') parts?.push(decode(line))
  }
  finish()
  return files.filter((bytes) => bytes.length > 0)
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
