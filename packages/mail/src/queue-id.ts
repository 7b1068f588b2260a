// Queue ids: time first, so that they sort by acceptance, then chance; letters that survive headers, logs and telephone.
import { createHash, randomBytes } from 'node:crypto'

const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const TIME_LENGTH = 10
const CHANCE_LENGTH = 12

/** A new queue id: 50 bits of milliseconds since 1970, 60 bits of chance, in base 32 (22 characters). */
export function newQueueId(now = Date.now()): string {
  return encodeTime(now) + encodeChance(randomBytes(CHANCE_LENGTH))
}

/**
 * The queue id of a mail that the system writes about another one. The same cause always gives the same id, so a
 * notice that is written twice after a crash is delivered once.
 */
export function derivedQueueId(queueId: string, cause: string): string {
  const digest = createHash('sha256').update(`${queueId}\n${cause}`).digest()
  return queueId.slice(0, TIME_LENGTH) + encodeChance(digest)
}

/** The same for what is no answer to a mail: `at`, in milliseconds since 1970, says where it belongs in time. */
export function derivedQueueIdAt(at: number, cause: string): string {
  return derivedQueueId(encodeTime(at), cause)
}

/** When the mail of this queue id was accepted, in milliseconds since 1970. */
export function timeOfQueueId(queueId: string): number {
  let time = 0
  for (const letter of queueId.slice(0, TIME_LENGTH)) time = time * 32 + ALPHABET.indexOf(letter)
  return time
}

function encodeTime(now: number): string {
  let rest = now
  let text = ''
  for (let i = 0; i < TIME_LENGTH; i++) {
    text = ALPHABET[rest % 32] + text
    rest = Math.floor(rest / 32)
  }
  return text
}

function encodeChance(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < CHANCE_LENGTH; i++) text += ALPHABET[bytes[i]! & 31]
  return text
}
