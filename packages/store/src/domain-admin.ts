// The local domains as operators make, list and remove them.
import type { Database, Queryable } from './database.ts'
import { createDkimKeys } from './dkim-key-creation.ts'
import type { DmarcPolicy } from './dmarc-policy.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'

export interface Domain {
  name: string
  createdAt: string
  dmarcPolicy: DmarcPolicy
}

export type DomainCreation = { kind: 'created'; domain: Domain } | { kind: 'exists' }

/** Makes a domain and its DKIM keys in one step. `name` is normalised. */
export async function createDomain(database: Database, name: string, masterKey: Buffer): Promise<DomainCreation> {
  return database.transaction(async (client) => {
    const { rows } = await client.query<DomainRow>(
      'insert into domain (name) values ($1) on conflict do nothing returning name, created_at, dmarc_policy',
      [name],
    )
    if (rows[0] === undefined) return { kind: 'exists' }
    await createDkimKeys(client, name, masterKey)
    return { kind: 'created', domain: toDomain(rows[0]) }
  })
}

/** The domains by name; a page's key is the name. */
export async function listDomains(database: Queryable, { after, limit }: PageRequest): Promise<Page<Domain>> {
  const { rows } = await database.query<DomainRow>(
    'select name, created_at, dmarc_policy from domain where $1::text is null or name > $1 order by name limit $2',
    [after?.[0] ?? null, limit + 1],
  )
  return cutPage(rows, limit, (row) => [row.name], toDomain)
}

export async function findDomain(database: Queryable, name: string): Promise<Domain | undefined> {
  const { rows } = await database.query<DomainRow>(
    'select name, created_at, dmarc_policy from domain where name = $1',
    [name],
  )
  return rows[0] && toDomain(rows[0])
}

export type DomainRemoval =
  | { kind: 'deleted' }
  | { kind: 'unknown' }
  | { kind: 'in-use'; accounts: number; lists: number }

/** Removes a domain and its DKIM keys, unless it still has accounts or lists. */
export async function deleteDomain(database: Database, name: string): Promise<DomainRemoval> {
  return database.transaction(async (client) => {
    // The lock keeps new accounts and lists out: they take a share lock on their domain.
    const { rowCount } = await client.query('select from domain where name = $1 for update', [name])
    if (rowCount === 0) return { kind: 'unknown' }
    const { rows } = await client.query<{ accounts: number; lists: number }>(
      `select (select count(*)::int from account where domain = $1) as accounts,
              (select count(*)::int from mailing_list where domain = $1) as lists`,
      [name],
    )
    const { accounts, lists } = rows[0]!
    if (accounts + lists > 0) return { kind: 'in-use', accounts, lists }
    await client.query('delete from domain where name = $1', [name])
    return { kind: 'deleted' }
  })
}

interface DomainRow {
  name: string
  created_at: Date
  dmarc_policy: DmarcPolicy
}

function toDomain(row: DomainRow): Domain {
  return { name: row.name, createdAt: row.created_at.toISOString(), dmarcPolicy: row.dmarc_policy }
}

/** What an address that is to be made is now. */
export type AddressState = 'free' | 'no-domain' | 'account' | 'list' | 'alias'

/**
 * Whether an address may be given to a new account, list or alias. Until the transaction ends, nobody else gets an address
 * of the domain, and the domain stays.
 */
export async function claimAddress(client: Queryable, address: string, domain: string): Promise<AddressState> {
  const { rowCount } = await client.query('select from domain where name = $1 for no key update', [domain])
  if (rowCount === 0) return 'no-domain'
  const { rows } = await client.query<{ kind: 'account' | 'list' | 'alias' }>(
    `select 'account' as kind from account where address = $1
     union all select 'list' from mailing_list where address = $1
     union all select 'alias' from alias where address = $1`,
    [address],
  )
  return rows[0]?.kind ?? 'free'
}
