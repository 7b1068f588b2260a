// Accounts as operators make, change and list them.
import { domainOf } from '@sekimori/mail/address'
import type { Database, Queryable } from './database.ts'
import { type AddressState, claimAddress } from './domain-admin.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'
import { hashPassword } from './password.ts'

export type Locale = 'ja' | 'en'

export interface AccountRecord {
  address: string
  domain: string
  locale: Locale
  createdAt: string
  /** Present while the account may not send, because too much infected mail came from it. */
  sendingStopped?: { at: string; reason: string }
}

export interface NewAccount {
  /** Normalised. */
  address: string
  password: string
  locale: Locale
}

export type AccountCreation =
  | { kind: 'created'; account: AccountRecord }
  | { kind: 'refused'; because: Exclude<AddressState, 'free'> }

/** Makes an account in a domain that is here, at an address that is free. */
export async function createAccount(
  database: Database,
  { address, password, locale }: NewAccount,
): Promise<AccountCreation> {
  const domain = domainOf(address)
  const passwordHash = await hashPassword(password)
  return database.transaction(async (client) => {
    const state = await claimAddress(client, address, domain)
    if (state !== 'free') return { kind: 'refused', because: state }
    const { rows } = await client.query<AccountRow>(
      `insert into account (address, domain, password_hash, locale) values ($1, $2, $3, $4) returning ${COLUMNS}`,
      [address, domain, passwordHash, locale],
    )
    return { kind: 'created', account: toAccount(rows[0]!) }
  })
}

/** The accounts by address, of one domain or of all; a page's key is the address. */
export async function listAccounts(
  database: Queryable,
  domain: string | undefined,
  { after, limit }: PageRequest,
): Promise<Page<AccountRecord>> {
  const { rows } = await database.query<AccountRow>(
    `select ${COLUMNS} from account
     where ($1::text is null or domain = $1) and ($2::text is null or address > $2) order by address limit $3`,
    [domain ?? null, after?.[0] ?? null, limit + 1],
  )
  return cutPage(rows, limit, (row) => [row.address], toAccount)
}

export async function findAccount(database: Queryable, address: string): Promise<AccountRecord | undefined> {
  const { rows } = await database.query<AccountRow>(`select ${COLUMNS} from account where address = $1`, [address])
  return rows[0] && toAccount(rows[0])
}

export interface AccountChange {
  password?: string | undefined
  locale?: Locale | undefined
  /** Null lets a stopped account send again; infected mail from before is not counted any more. */
  sendingStopped?: null | undefined
}

/** Changes what is given; undefined when there is no such account. Every replica forgets the old password at once. */
export async function updateAccount(
  database: Queryable,
  address: string,
  { password, locale, sendingStopped }: AccountChange,
): Promise<AccountRecord | undefined> {
  const passwordHash = password === undefined ? null : await hashPassword(password)
  const { rows } = await database.query<AccountRow>(
    `update account set password_hash = coalesce($2, password_hash), locale = coalesce($3, locale),
       sending_stopped_at = case when $4 then null else sending_stopped_at end,
       sending_stop_reason = case when $4 then null else sending_stop_reason end,
       sending_stop_queue_id = case when $4 then null else sending_stop_queue_id end,
       infected_counted_from = case when $4 and sending_stopped_at is not null then clock_timestamp() else infected_counted_from end
     where address = $1 returning ${COLUMNS}`,
    [address, passwordHash, locale ?? null, sendingStopped === null],
  )
  return rows[0] && toAccount(rows[0])
}

/** Switches warnings of stopped virus mail on or off; false when there is no such account. */
export async function setVirusWarning(database: Queryable, address: string, isOn: boolean): Promise<boolean> {
  const { rowCount } = await database.query('update account set virus_warning = $2 where address = $1', [address, isOn])
  return rowCount === 1
}

const COLUMNS = 'address, domain, locale, created_at, sending_stopped_at, sending_stop_reason'

interface AccountRow {
  address: string
  domain: string
  locale: Locale
  created_at: Date
  sending_stopped_at: Date | null
  sending_stop_reason: string | null
}

function toAccount(row: AccountRow): AccountRecord {
  const { address, domain, locale } = row
  return {
    address,
    domain,
    locale,
    createdAt: row.created_at.toISOString(),
    ...(row.sending_stopped_at === null
      ? {}
      : { sendingStopped: { at: row.sending_stopped_at.toISOString(), reason: row.sending_stop_reason ?? '' } }),
  }
}
