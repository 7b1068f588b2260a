// How sessions with other servers were encrypted, counted for TLS-RPT (RFC 8460).
import type { Queryable } from './database.ts'

export interface TlsCount {
  policyDomain: string
  policyType: 'tlsa' | 'sts' | 'no-policy-found'
  /** Its lines, joined by line feeds. */
  policy: string
  host: string
  address: string
  /** `successful`, or a result type of RFC 8460 section 4.3. */
  result: string
  sessions: number
}

/** Adds to the counts of today (UTC). */
export async function addTlsResults(database: Queryable, counts: TlsCount[]): Promise<void> {
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
      counts.map(({ sessions }) => sessions),
    ],
  )
}
