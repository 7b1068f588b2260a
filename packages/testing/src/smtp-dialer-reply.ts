// SMTP replies as a test sees them (RFC 5321 section 4.2, enhanced codes RFC 2034).
import { AssertionError } from 'node:assert'

export interface SmtpReply {
  code: number
  /** As in `5.1.1`, of the last line. */
  enhanced?: string
  /** All lines' text without codes, joined by newlines. */
  text: string
  /** All lines as they came. */
  lines: string[]
  /** From `queued as <id>` in the last line. */
  queueId?: string
}

/** Reads one reply, of one line or several. */
export async function readReply(readLine: () => Promise<string>): Promise<SmtpReply> {
  const lines: string[] = []
  for (;;) {
    const line = await readLine()
    if (!/^[2-5]\d\d(?:[ -]|$)/.test(line))
      throw new AssertionError({ message: `"${line}" is no line of an SMTP reply` })
    if (lines[0] !== undefined && lines[0].slice(0, 3) !== line.slice(0, 3))
      throw new AssertionError({ message: `a reply's code changed from "${lines[0]}" to "${line}"` })
    lines.push(line)
    if (line[3] !== '-') return toReply(lines)
  }
}

function toReply(lines: string[]): SmtpReply {
  const last = lines.at(-1)!
  const enhanced = /^\d{3}[ -]([245]\.\d{1,3}\.\d{1,3})(?: |$)/.exec(last)?.[1]
  const queueId = /queued as <?([^\s<>]+)/i.exec(last)?.[1]
  const text = lines.map((line) => line.slice(4).replace(/^[245]\.\d{1,3}\.\d{1,3}(?: |$)/, '')).join('\n')
  return {
    code: Number(last.slice(0, 3)),
    text,
    lines,
    ...(enhanced !== undefined && { enhanced }),
    ...(queueId !== undefined && { queueId }),
  }
}

/** Fails unless the reply has the code; `about` says what it answers. */
export function assertCode(reply: SmtpReply, code: number | undefined, about: string): SmtpReply {
  if (code === undefined || reply.code === code) return reply
  const message = `expected ${code} ${about}, got "${reply.lines.join(' / ')}"`
  throw new AssertionError({ message, actual: reply.code, expected: code })
}
