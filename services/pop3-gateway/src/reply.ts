// Replies to the client (RFC 1939 section 3, response codes of RFC 2449 section 8 and RFC 3206). Public text only.

export type ResponseCode = 'AUTH' | 'IN-USE' | 'SYS/TEMP'

const BATCH_OCTETS = 32_768

/** A positive single-line reply. */
export function ok(text: string): string {
  return `+OK ${text}\r\n`
}

/** A negative reply; `code` lets a client tell a wrong password from a passing fault. */
export function err(text: string, code?: ResponseCode): string {
  return code === undefined ? `-ERR ${text}\r\n` : `-ERR [${code}] ${text}\r\n`
}

/**
 * A multi-line reply in batches, so that a listing of 100,000 messages is never one string.
 * `lines` must not begin with the termination octet.
 */
export function* listing(text: string, lines: Iterable<string>): Iterable<string> {
  let batch = ok(text)
  for (const line of lines) {
    batch += `${line}\r\n`
    if (batch.length < BATCH_OCTETS) continue
    yield batch
    batch = ''
  }
  yield `${batch}.\r\n`
}
