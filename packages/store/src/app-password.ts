// App passwords: one for each device, shown once, for SMTP, POP3 or both, and taken back without touching the others.
import { createHash, randomInt } from 'node:crypto'
import type { Database, Queryable } from './database.ts'
import type { LoginService } from './login-account.ts'

export interface AppPassword {
  id: string
  /** What its owner calls the device. */
  name: string
  services: LoginService[]
  createdAt: string
  /** To within five minutes. */
  lastUsed?: { at: string; for: LoginService }
}

export type AppPasswordCreation =
  | { kind: 'created'; appPassword: AppPassword; password: string }
  | { kind: 'unknown-account' }
  | { kind: 'too-many' }

export const APP_PASSWORDS_MAX = 50
const ALPHABET = 'abcdefghijkmnpqrstuvwxyz23456789'
const GROUPS = 5
const GROUP_LENGTH = 4
const COLUMNS = 'id, name, services, created_at, last_used_at, last_used_for'

/** The digest under which a password would be stored; undefined when it does not look like an app password. */
export function appPasswordDigest(password: string): Buffer | undefined {
  const text = password.replace(/[ -]/g, '').toLowerCase()
  if (text.length !== GROUPS * GROUP_LENGTH || [...text].some((character) => !ALPHABET.includes(character)))
    return undefined
  return createHash('sha256').update(text).digest()
}

/** Makes an app password; the answer is the only place where it is ever shown. */
export async function createAppPassword(
  database: Database,
  address: string,
  { name, services }: { name: string; services: LoginService[] },
): Promise<AppPasswordCreation> {
  const password = makePassword()
  return database.transaction(async (client) => {
    const account = await client.query<{ id: string }>('select id from account where address = $1 for update', [
      address,
    ])
    const accountId = account.rows[0]?.id
    if (accountId === undefined) return { kind: 'unknown-account' }
    const { rows } = await client.query<Row>(
      `insert into app_password (account_id, name, services, digest)
       select $1, $2, $3, $4 where (select count(*) from app_password where account_id = $1) < $5 returning ${COLUMNS}`,
      [accountId, name, services, appPasswordDigest(password), APP_PASSWORDS_MAX],
    )
    const row = rows[0]
    return row === undefined ? { kind: 'too-many' } : { kind: 'created', appPassword: toAppPassword(row), password }
  })
}

/** The app passwords of an account, oldest first; undefined when there is no such account. */
export async function listAppPasswords(database: Queryable, address: string): Promise<AppPassword[] | undefined> {
  const { rows } = await database.query<Row | { id: null }>(
    `select app_password.${COLUMNS.replaceAll(', ', ', app_password.')}
     from account left join app_password on app_password.account_id = account.id
     where account.address = $1 order by app_password.id`,
    [address],
  )
  if (rows.length === 0) return undefined
  return rows.flatMap((row) => (row.id === null ? [] : [toAppPassword(row)]))
}

/** Takes an app password back, on every replica at once; false when the account has no such one. */
export async function revokeAppPassword(database: Queryable, address: string, id: string): Promise<boolean> {
  const { rowCount } = await database.query(
    'delete from app_password using account where account.id = account_id and account.address = $1 and app_password.id = $2',
    [address, id],
  )
  return rowCount === 1
}

/** Notes that an app password was used; writes at most every five minutes. */
export async function noteAppPasswordUse(database: Queryable, id: string, service: LoginService): Promise<void> {
  await database.query({
    name: 'note_app_password_use',
    text: `update app_password set last_used_at = now(), last_used_for = $2
           where id = $1 and (last_used_at is null or last_used_for <> $2 or last_used_at < now() - interval '5 minutes')`,
    values: [id, service],
  })
}

/** A hundred random bits, in groups that a person can type. */
function makePassword(): string {
  const group = () => Array.from({ length: GROUP_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
  return Array.from({ length: GROUPS }, group).join('-')
}

interface Row {
  id: string
  name: string
  services: LoginService[]
  created_at: Date
  last_used_at: Date | null
  last_used_for: LoginService | null
}

function toAppPassword(row: Row): AppPassword {
  const { last_used_at: at, last_used_for: service } = row
  return {
    id: row.id,
    name: row.name,
    services: row.services,
    createdAt: row.created_at.toISOString(),
    ...(at === null || service === null ? {} : { lastUsed: { at: at.toISOString(), for: service } }),
  }
}
