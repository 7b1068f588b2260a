// Replies to the client (RFC 1939 section 3, response codes of RFC 2449 section 8 and RFC 3206). Public text only.
import { inLanguage, type Language, type Text } from './language.ts'

export type ResponseCode = 'AUTH' | 'IN-USE' | 'SYS/TEMP'

/** One line, in the language that the client has asked for. */
export type Reply = (language: Language) => string

/** A multi-line reply, batch by batch. */
export type Listing = (language: Language) => Iterable<string>

const BATCH_OCTETS = 32_768

/** A positive single-line reply. */
export function ok(text: Text): Reply {
  return (language) => `+OK ${inLanguage(text, language)}\r\n`
}

/** A negative reply; `code` lets a client tell a wrong password from a passing fault. */
export function err(text: Text, code?: ResponseCode): Reply {
  const status = code === undefined ? '-ERR' : `-ERR [${code}]`
  return (language) => `${status} ${inLanguage(text, language)}\r\n`
}

/**
 * A multi-line reply in batches, so that a listing of 100,000 messages is never one string.
 * `lines` must not begin with the termination octet.
 */
export function listing(text: Text, lines: Iterable<string>): Listing {
  return (language) => batches(ok(text)(language), lines)
}

function* batches(status: string, lines: Iterable<string>): Iterable<string> {
  let batch = status
  for (const line of lines) {
    batch += `${line}\r\n`
    if (batch.length < BATCH_OCTETS) continue
    yield batch
    batch = ''
  }
  yield `${batch}.\r\n`
}
