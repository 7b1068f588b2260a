// What each of our domains wants done with mail that fails DMARC: recorded only, or as the author's domain asks.
import type { Database, Queryable } from './database.ts'
import { WatchedCache } from './watched-cache.ts'

export const dmarcPolicies = ['record', 'enforce'] as const
export type DmarcPolicy = (typeof dmarcPolicies)[number]

/** Changes a domain's policy; resolves to whether the domain is here. */
export async function setDmarcPolicy(database: Queryable, domain: string, policy: DmarcPolicy): Promise<boolean> {
  const { rowCount } = await database.query('update domain set dmarc_policy = $2 where name = $1', [domain, policy])
  return rowCount === 1
}

async function findDmarcPolicy(database: Queryable, domain: string): Promise<DmarcPolicy> {
  const { rows } = await database.query<{ dmarc_policy: DmarcPolicy }>({
    name: 'find_dmarc_policy',
    text: 'select dmarc_policy from domain where name = $1',
    values: [domain],
  })
  return rows[0]?.dmarc_policy ?? 'record'
}

/** The policy by domain, with a cache that every change empties. */
export function openDmarcPolicies(database: Database): (domain: string) => Promise<DmarcPolicy> {
  const cache = new WatchedCache<DmarcPolicy>(database)
  return (domain) => cache.get(domain, () => findDmarcPolicy(database, domain))
}
