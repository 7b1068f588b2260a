// Logins of mail clients: argon2id, with a short-lived cache of verified logins that a change of password empties.
import { createHmac, randomBytes } from 'node:crypto'
import { normalizeAddress } from '@sekimori/mail/address'
import { logins } from '@sekimori/runtime/metrics'
import type { Database, Queryable } from './database.ts'
import { hashPassword, isPassword } from './password.ts'
import { WatchedCache } from './watched-cache.ts'

export interface Account {
  id: number
  address: string
}

/** Verifies address and password. Resolves to undefined when they do not fit; throws when that can't be found out. */
export type Login = (address: string, password: string) => Promise<Account | undefined>

const LONGEST_PASSWORD = 1_024

/** A login check with its cache. The cache holds keyed digests of verified logins, never a password. */
export async function openLogin(database: Database): Promise<Login> {
  const cache = new WatchedCache<Account>(database)
  const key = randomBytes(32)
  const nobody = await hashPassword(randomBytes(32).toString('base64'))
  return async (address, password) => {
    if (password.length > LONGEST_PASSWORD || password === '') return undefined
    const normal = normalizeAddress(address)
    const digest = createHmac('sha256', key).update(`${normal}\n${password}`).digest('base64')
    const account = await cache.get(digest, () => verifyLogin(database, normal, password, nobody))
    logins.inc({ result: account === undefined ? 'refused' : 'ok' })
    return account
  }
}

/** An unknown address costs the same time as a known one. */
async function verifyLogin(
  database: Queryable,
  address: string,
  password: string,
  nobody: string,
): Promise<Account | undefined> {
  const { rows } = await database.query<{ id: string; address: string; password_hash: string }>({
    name: 'find_login',
    text: 'select id, address, password_hash from account where address = $1',
    values: [address],
  })
  const row = rows[0]
  const isRight = await isPassword(row?.password_hash ?? nobody, password)
  return row !== undefined && isRight ? { id: Number(row.id), address: row.address } : undefined
}
