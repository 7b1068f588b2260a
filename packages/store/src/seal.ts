// Secrets at rest: AES-256-GCM under the master key, bound to what the secret belongs to.
import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** A master key from the setting of that name: 32 octets in base64. @throws Error that names the fault, not the key. */
export function readMasterKey(text: string, setting = 'DKIM_MASTER_KEY'): Buffer {
  const key = Buffer.from(text, 'base64')
  if (key.length !== 32)
    throw new Error(`${setting} must be 32 octets in base64 (make one with: openssl rand -base64 32)`)
  return key
}

/** Master keys, separated by commas or white space: the first seals, every one of them opens. @throws as above */
export function readMasterKeys(text: string, setting = 'DKIM_MASTER_KEY'): [Buffer, ...Buffer[]] {
  const [first = '', ...rest] = text.trim().split(/[\s,]+/)
  return [readMasterKey(first, setting), ...rest.map((key) => readMasterKey(key, setting))]
}

/** Whether the text holds one or more usable master keys. */
export function isMasterKeys(text: string): boolean {
  const keys = text.trim().split(/[\s,]+/)
  return keys.every((key) => Buffer.from(key, 'base64').length === 32)
}

/** A name for a master key that tells nothing about it. */
export function masterKeyId(masterKey: Buffer): string {
  return Buffer.from(hkdfSync('sha256', masterKey, '', 'sekimori master key id', 8)).toString('hex')
}

/** Seals a secret; it opens only with the same `context`. */
export function seal(masterKey: Buffer, secret: Buffer, context: string): Buffer {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', masterKey, nonce).setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(secret), cipher.final(), cipher.getAuthTag()])
}

/** Opens a sealed secret. @throws Error when key, context or octets do not fit. */
export function unseal(masterKey: Buffer, sealed: Buffer, context: string): Buffer {
  const tagStart = sealed.length - TAG_BYTES
  const decipher = createDecipheriv('aes-256-gcm', masterKey, sealed.subarray(0, NONCE_BYTES))
  decipher.setAAD(Buffer.from(context)).setAuthTag(sealed.subarray(tagStart))
  return Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, tagStart)), decipher.final()])
}

/** Opens a secret that one of the keys has sealed. @throws Error when none of them has */
export function unsealWithAny(masterKeys: readonly Buffer[], sealed: Buffer, context: string): Buffer {
  let fault: unknown
  for (const masterKey of masterKeys) {
    try {
      return unseal(masterKey, sealed, context)
    } catch (error) {
      fault = error
    }
  }
  throw new Error(`no master key opens ${context}`, { cause: fault })
}
