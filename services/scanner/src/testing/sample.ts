// How the made mails of the tests are put together.

export interface Sample {
  name: string
  mail: Buffer
}

export const HEAD = ['From: a@sender.example', 'To: b@example.test', 'Subject: x', 'MIME-Version: 1.0']
export const crlf = (lines: string[]) => lines.join('\r\n')
export const sample = (name: string, lines: string[]): Sample => ({ name, mail: Buffer.from(crlf(lines), 'latin1') })

/** POSIX uuencode of ASCII text. */
export function uuencode(payload: string): string {
  const bytes = Buffer.from(payload)
  const lines: string[] = ['begin 644 a.com']
  const letter = (value: number) => String.fromCharCode(value === 0 ? 0x60 : value + 0x20)
  for (let at = 0; at < bytes.length; at += 45) {
    const chunk = bytes.subarray(at, at + 45)
    let line = letter(chunk.length)
    for (let i = 0; i < chunk.length; i += 3) {
      const [a = 0, b = 0, c = 0] = chunk.subarray(i, i + 3)
      line += letter(a >> 2) + letter(((a & 3) << 4) | (b >> 4)) + letter(((b & 15) << 2) | (c >> 6)) + letter(c & 63)
    }
    lines.push(line)
  }
  return crlf([...lines, '`', 'end'])
}
