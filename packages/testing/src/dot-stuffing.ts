// Transparency of SMTP and POP3 for tests (RFC 5321 section 4.5.2, RFC 1939 section 3), written apart from the
// servers' own so that one can find the other's faults. Nothing but dots is changed.

const DOT = 0x2e

/** Doubles every dot that begins a line, and ends the last line if it has no end. */
export function dotStuff(message: Buffer): Buffer {
  const dots = lineDots(message)
  const isOpen = message.length > 0 && message.subarray(-2).toString('latin1') !== '\r\n'
  const stuffed = Buffer.allocUnsafe(message.length + dots.length + (isOpen ? 2 : 0))
  let start = 0
  let end = 0
  for (const at of dots) {
    end += message.copy(stuffed, end, start, at)
    stuffed[end++] = DOT
    start = at
  }
  end += message.copy(stuffed, end, start)
  if (isOpen) stuffed.write('\r\n', end)
  return stuffed
}

/** Takes one dot from every line that begins with one. */
export function dotUnstuff(lines: Buffer): Buffer {
  const dots = lineDots(lines)
  const plain = Buffer.allocUnsafe(lines.length - dots.length)
  let start = 0
  let end = 0
  for (const at of dots) {
    end += lines.copy(plain, end, start, at)
    start = at + 1
  }
  lines.copy(plain, end, start)
  return plain
}

/** Where the dots are that begin a line. */
function lineDots(bytes: Buffer): number[] {
  const dots = bytes[0] === DOT ? [0] : []
  for (let at = bytes.indexOf('\r\n.'); at >= 0; at = bytes.indexOf('\r\n.', at + 3)) dots.push(at + 2)
  return dots
}
