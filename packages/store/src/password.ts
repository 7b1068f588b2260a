// Password hashes: argon2id with OWASP's recommended cost (19 MiB, two passes), computed off the main thread.
import { hash, verify, verifySync } from '@node-rs/argon2'

const COST = { memoryCost: 19_456, timeCost: 2, parallelism: 1 }

/** The encoded argon2id hash of a password (PHC string). */
export function hashPassword(password: string): Promise<string> {
  return hash(prepared(password), COST)
}

/** Whether the password belongs to the hash. */
export function isPassword(encoded: string, password: string): Promise<boolean> {
  return verify(encoded, prepared(password))
}

/** The same in this very thread, which has nothing else to do. */
export function isPasswordNow(encoded: string, password: string): boolean {
  return verifySync(encoded, prepared(password))
}

/** The one form that is hashed and compared, however a client composes characters (RFC 8265 section 4.2.2). */
function prepared(password: string): string {
  return password.replace(/\p{Zs}/gu, ' ').normalize('NFC')
}
