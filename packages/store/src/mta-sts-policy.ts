// The MTA-STS policies of other domains (RFC 8461), shared by all replicas of remote-delivery.
import type { Queryable } from './database.ts'

export interface KeptPolicy {
  /** The id of the TXT record under which it was fetched. */
  id: string
  mode: 'enforce' | 'testing' | 'none'
  maxAgeSeconds: number
  mx: string[]
}

/** The policy of the domain that has not expired. */
export async function findStsPolicy(database: Queryable, domain: string): Promise<KeptPolicy | undefined> {
  const { rows } = await database.query<{
    policy_id: string
    mode: KeptPolicy['mode']
    max_age_seconds: number
    mx: string[]
  }>({
    name: 'find_sts_policy',
    text: 'select policy_id, mode, max_age_seconds, mx from mta_sts_policy where domain = $1 and expires_at > now()',
    values: [domain],
  })
  const [row] = rows
  return row && { id: row.policy_id, mode: row.mode, maxAgeSeconds: row.max_age_seconds, mx: row.mx }
}

/** Keeps a policy that was fetched or confirmed just now, until it expires. */
export async function keepStsPolicy(database: Queryable, domain: string, policy: KeptPolicy): Promise<void> {
  await database.query(
    `insert into mta_sts_policy (domain, policy_id, mode, max_age_seconds, mx, expires_at)
     values ($1, $2, $3, $4::integer, $5, now() + make_interval(secs => $4::integer))
     on conflict (domain) do update set policy_id = excluded.policy_id, mode = excluded.mode,
       max_age_seconds = excluded.max_age_seconds, mx = excluded.mx, fetched_at = now(), expires_at = excluded.expires_at`,
    [domain, policy.id, policy.mode, policy.maxAgeSeconds, policy.mx],
  )
}
