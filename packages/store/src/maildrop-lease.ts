// The exclusive-access lock on a maildrop (RFC 1939 section 4), held across replicas as a lease that a crash lets expire.
import type { Queryable } from './database.ts'

/** One session's lock. `holder` names the session: no other session, on no replica, ever has the same. */
export interface Lease {
  accountId: number
  holder: string
}

/** Takes the lock when it is free or has expired. Resolves to false when another session holds it. */
export async function acquireLease(database: Queryable, lease: Lease, lifeMs: number): Promise<boolean> {
  const { rowCount } = await database.query({
    name: 'acquire_lease',
    text: `insert into maildrop_lease (account_id, holder, expires_at)
           values ($1, $2, now() + $3 * interval '1 millisecond')
           on conflict (account_id) do update set holder = excluded.holder, expires_at = excluded.expires_at
           where maildrop_lease.expires_at < now()`,
    values: [lease.accountId, lease.holder, lifeMs],
  })
  return rowCount === 1
}

/** Prolongs all these locks in one statement. Resolves to the holders that still have theirs, expired or not. */
export async function renewLeases(database: Queryable, leases: Lease[], lifeMs: number): Promise<Set<string>> {
  const { rows } = await database.query<{ holder: string }>({
    name: 'renew_leases',
    text: `update maildrop_lease set expires_at = now() + $3 * interval '1 millisecond'
           from unnest($1::bigint[], $2::text[]) as mine(account_id, holder)
           where maildrop_lease.account_id = mine.account_id and maildrop_lease.holder = mine.holder
           returning mine.holder`,
    values: [leases.map((lease) => lease.accountId), leases.map((lease) => lease.holder), lifeMs],
  })
  return new Set(rows.map((row) => row.holder))
}

/** Gives the lock back, if it is still this session's. */
export async function releaseLease(database: Queryable, lease: Lease): Promise<void> {
  await database.query({
    name: 'release_lease',
    text: 'delete from maildrop_lease where account_id = $1 and holder = $2',
    values: [lease.accountId, lease.holder],
  })
}

/** Inside a transaction: whether the lock is still this session's; until the transaction ends nobody can take it. */
export async function lockLease(client: Queryable, lease: Lease): Promise<boolean> {
  const { rowCount } = await client.query({
    name: 'lock_lease',
    text: 'select 1 from maildrop_lease where account_id = $1 and holder = $2 for update',
    values: [lease.accountId, lease.holder],
  })
  return rowCount === 1
}
