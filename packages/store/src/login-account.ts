// What a login check reads of an account in one query, and what a good login leaves behind.
import type { Queryable } from './database.ts'

export type LoginService = 'smtp' | 'pop3'

export interface LoginAccount {
  id: number
  address: string
  passwordHash: string
  /** The app password with the digest asked for, if it is one of the account's for this service. */
  appPasswordId: string | undefined
  /** The account has logged in from this network within the last 90 days. */
  knowsNetwork: boolean
  /** That it did so was noted within the last day. */
  isNetworkNoted: boolean
}

interface Row {
  id: string
  address: string
  password_hash: string
  app_password_id: string | null
  network_age_days: number | null
}

/** The account of this (normalised) address; undefined when there is none. */
export async function findLoginAccount(
  database: Queryable,
  address: string,
  network: string,
  service: LoginService,
  appPasswordDigest: Buffer | undefined,
): Promise<LoginAccount | undefined> {
  const { rows } = await database.query<Row>({
    name: 'find_login',
    text: `select account.id, address, password_hash,
             (select app.id from app_password app
              where app.account_id = account.id and app.digest = $3 and $4 = any(app.services)) as app_password_id,
             (select extract(epoch from now() - known.seen_at)::float8 / 86400 from login_network known
              where known.account_id = account.id and known.network = $2) as network_age_days
           from account where address = $1`,
    values: [address, network, appPasswordDigest ?? null, service],
  })
  const row = rows[0]
  const ageDays = row?.network_age_days ?? Number.POSITIVE_INFINITY
  return (
    row && {
      id: Number(row.id),
      address: row.address,
      passwordHash: row.password_hash,
      appPasswordId: row.app_password_id ?? undefined,
      knowsNetwork: ageDays < 90,
      isNetworkNoted: ageDays < 1,
    }
  )
}

/** The account of this (normalised) address; undefined when there is none. */
export async function findAccountId(database: Queryable, address: string): Promise<number | undefined> {
  const { rows } = await database.query<{ id: string }>({
    name: 'find_account_id',
    text: 'select id from account where address = $1',
    values: [address],
  })
  return rows[0] && Number(rows[0].id)
}

/** Remembers the network of a good login, and forgets old ones; writes at most once a day for each. */
export async function noteLoginNetwork(database: Queryable, accountId: number, network: string): Promise<void> {
  await database.query({
    name: 'note_login_network',
    text: `with forgotten as (
             delete from login_network where account_id = $1 and network <> $2 and seen_at < now() - interval '90 days'
           )
           insert into login_network (account_id, network) select $1, $2 from account where id = $1
           on conflict (account_id, network) do update set seen_at = now()
           where login_network.seen_at < now() - interval '1 day'`,
    values: [accountId, network],
  })
}

/** Forgets failed logins whose time is long over. */
export async function forgetOldLoginFailures(database: Queryable): Promise<void> {
  await database.query("delete from login_failure where expire < extract(epoch from now() - interval '1 hour') * 1000")
}
