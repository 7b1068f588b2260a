// Quarantined content at rest: AES-256-GCM chunk by chunk, with a key of each record's own under the master key. A chunk's
// nonce is its place and whether it is the last one, so that none can be moved, left out or cut off unnoticed.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const KEY_BYTES = 32
const NONCE_BYTES = 12
const TAG_BYTES = 16
const SALT_BYTES = 32

/** A salt, from which and the master key the key of one record comes. */
export function newSalt(): Buffer {
  return randomBytes(SALT_BYTES)
}

/** The key of one record; `context` names the record. */
export function recordKey(masterKey: Buffer, salt: Buffer, context: string): Buffer {
  return Buffer.from(hkdfSync('sha256', masterKey, salt, `sekimori quarantine ${context}`, KEY_BYTES))
}

/** Seals a sequence of chunks as it comes. There is always a last chunk, if only an empty one. */
export async function* sealChunks(key: Buffer, input: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  let seq = 0
  let held: Buffer | undefined
  for await (const chunk of input) {
    if (held !== undefined) yield sealChunk(key, held, seq++, false)
    held = chunk
  }
  yield sealChunk(key, held ?? Buffer.alloc(0), seq, true)
}

function sealChunk(key: Buffer, chunk: Buffer, seq: number, isLast: boolean): Buffer {
  const cipher = createCipheriv('aes-256-gcm', key, nonceOf(seq, isLast))
  return Buffer.concat([cipher.update(chunk), cipher.final(), cipher.getAuthTag()])
}

/** Opens one sealed chunk. @throws Error when key, place or octets do not fit */
export function unsealChunk(key: Buffer, sealed: Buffer, seq: number, isLast: boolean): Buffer {
  const tagStart = sealed.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', key, nonceOf(seq, isLast))
  decipher.setAuthTag(sealed.subarray(tagStart))
  return Buffer.concat([decipher.update(sealed.subarray(0, tagStart)), decipher.final()])
}

/** No key seals anything but the chunks of its one record, so counting never repeats a nonce. */
function nonceOf(seq: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUInt32BE(seq)
  nonce[NONCE_BYTES - 1] = isLast ? 1 : 0
  return nonce
}
