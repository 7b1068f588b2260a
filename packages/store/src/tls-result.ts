// How sessions with other servers were encrypted, counted for TLS-RPT (RFC 8460).
import type { Queryable } from './database.ts'
import type { Counted } from './tally.ts'

export interface TlsCount {
  policyDomain: string
  policyType: 'tlsa' | 'sts' | 'no-policy-found'
  /** Its lines, joined by line feeds. */
  policy: string
  host: string
  address: string
  /** `successful`, or a result type of RFC 8460 section 4.3. */
  result: string
}

/** Adds to the counts of today (UTC). */
export async function addTlsResults(database: Queryable, counted: Counted<TlsCount>[]): Promise<void> {
  const counts = counted.map(({ item }) => item)
  await database.query(
    `insert into tls_result (day, policy_domain, policy_type, policy, mx_host, mx_address, result, sessions)
     select (now() at time zone 'utc')::date, counted.*
     from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[]) as counted
     on conflict (day, policy_domain, policy_type, policy, mx_host, mx_address, result)
     do update set sessions = tls_result.sessions + excluded.sessions`,
    [
      counts.map(({ policyDomain }) => policyDomain),
      counts.map(({ policyType }) => policyType),
      counts.map(({ policy }) => policy),
      counts.map(({ host }) => host),
      counts.map(({ address }) => address),
      counts.map(({ result }) => result),
      counted.map(({ count }) => count),
    ],
  )
}

/** What was counted for a policy domain on a day, the most sessions first, at most `limit` rows. */
export async function readTlsResults(
  database: Queryable,
  day: string,
  domain: string,
  limit: number,
): Promise<Counted<TlsCount>[]> {
  const { rows } = await database.query<TlsRow>(
    `select policy_type, policy, mx_host, mx_address, result, sessions from tls_result
     where day = $1 and policy_domain = $2 order by sessions desc, policy, mx_host, mx_address, result limit $3`,
    [day, domain, limit],
  )
  return rows.map((row) => ({
    item: {
      policyDomain: domain,
      policyType: row.policy_type,
      policy: row.policy,
      host: row.mx_host,
      address: row.mx_address,
      result: row.result,
    },
    count: Number(row.sessions),
  }))
}

interface TlsRow {
  policy_type: TlsCount['policyType']
  policy: string
  mx_host: string
  mx_address: string
  result: string
  sessions: string
}
