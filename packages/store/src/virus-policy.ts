// What each domain wants done with mail that the virus check could not look into.
import { type UnscannableAction, type UnscannableReason, unscannableReasons } from '@sekimori/mail/unscannable'
import type { Database, Queryable } from './database.ts'
import { WatchedCache } from './watched-cache.ts'

/** `hasNotice`: whether the people of the domain whom the mail concerns are told. */
export interface UnscannableRule {
  action: UnscannableAction
  hasNotice: boolean
}

export type VirusPolicy = Record<UnscannableReason, UnscannableRule>

/** What is changed; whatever is not named stays as it is. */
export type VirusPolicyChange = Partial<Record<UnscannableReason, Partial<UnscannableRule>>>

const DEFAULT_RULE: UnscannableRule = { action: 'deliver', hasNotice: false }

/** The policy of a domain; the default one for a domain that has set none or is not here. */
export async function findVirusPolicy(database: Queryable, domain: string): Promise<VirusPolicy> {
  const { rows } = await database.query<{ reason: UnscannableReason; action: UnscannableAction; notice: boolean }>({
    name: 'find_virus_policy',
    text: 'select reason, action, notice from virus_policy where domain = $1',
    values: [domain],
  })
  const rules = new Map(rows.map(({ reason, action, notice }) => [reason, { action, hasNotice: notice }]))
  return Object.fromEntries(
    unscannableReasons.map((reason) => [reason, rules.get(reason) ?? DEFAULT_RULE]),
  ) as VirusPolicy
}

/** Changes the policy of a domain; resolves to the whole of it, or to undefined when the domain is not here. */
export async function changeVirusPolicy(
  database: Database,
  domain: string,
  change: VirusPolicyChange,
): Promise<VirusPolicy | undefined> {
  return database.transaction(async (client) => {
    // The lock keeps the domain, and makes changes to its policy wait for one another.
    const { rowCount } = await client.query('select from domain where name = $1 for no key update', [domain])
    if (rowCount === 0) return undefined
    const before = await findVirusPolicy(client, domain)
    const after = Object.fromEntries(
      unscannableReasons.map((reason) => [reason, { ...before[reason], ...change[reason] }]),
    ) as VirusPolicy
    for (const reason of unscannableReasons)
      if (change[reason] !== undefined) await putRule(client, domain, reason, after[reason])
    return after
  })
}

async function putRule(client: Queryable, domain: string, reason: string, rule: UnscannableRule): Promise<void> {
  await client.query(
    `insert into virus_policy (domain, reason, action, notice) values ($1, $2, $3, $4)
     on conflict (domain, reason) do update set action = excluded.action, notice = excluded.notice`,
    [domain, reason, rule.action, rule.hasNotice],
  )
}

/** The policy by domain, with a cache that every change empties. */
export function openVirusPolicies(database: Database): (domain: string) => Promise<VirusPolicy> {
  const cache = new WatchedCache<VirusPolicy>(database)
  return (domain) => cache.get(domain, () => findVirusPolicy(database, domain))
}
