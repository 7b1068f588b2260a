// Aliases as operators make, change, list and remove them.
import { domainOf } from '@sekimori/mail/address'
import type { Database, Queryable } from './database.ts'
import { type AddressState, claimAddress } from './domain-admin.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'

export interface Alias {
  address: string
  domain: string
  targets: string[]
  createdAt: string
}

export type AliasCreation =
  | { kind: 'created'; alias: Alias }
  | { kind: 'refused'; because: Exclude<AddressState, 'free'> }

/** Makes an alias in a domain that is here, at an address that is free. Addresses are normalised. */
export async function createAlias(database: Database, address: string, targets: string[]): Promise<AliasCreation> {
  const domain = domainOf(address)
  return database.transaction(async (client) => {
    const state = await claimAddress(client, address, domain)
    if (state !== 'free') return { kind: 'refused', because: state }
    await client.query('insert into alias (address, domain) values ($1, $2)', [address, domain])
    await addTargets(client, address, targets)
    return { kind: 'created', alias: (await findAlias(client, address))! }
  })
}

/** Makes these addresses, and no others, the targets; undefined when there is no such alias. */
export async function replaceAliasTargets(
  database: Database,
  address: string,
  targets: string[],
): Promise<Alias | undefined> {
  return database.transaction(async (client) => {
    const { rowCount } = await client.query('select from alias where address = $1 for update', [address])
    if (rowCount === 0) return undefined
    await client.query('delete from alias_target where alias_address = $1', [address])
    await addTargets(client, address, targets)
    return findAlias(client, address)
  })
}

/** The aliases by address, of one domain or of all; a page's key is the address. */
export async function listAliases(
  database: Queryable,
  domain: string | undefined,
  { after, limit }: PageRequest,
): Promise<Page<Alias>> {
  const { rows } = await database.query<AliasRow>(
    `select ${COLUMNS} from alias
     where ($1::text is null or domain = $1) and ($2::text is null or address > $2) order by address limit $3`,
    [domain ?? null, after?.[0] ?? null, limit + 1],
  )
  return cutPage(rows, limit, (row) => [row.address], toAlias)
}

export async function findAlias(database: Queryable, address: string): Promise<Alias | undefined> {
  const { rows } = await database.query<AliasRow>(`select ${COLUMNS} from alias where address = $1`, [address])
  return rows[0] && toAlias(rows[0])
}

/** Removes an alias; false when there is none. */
export async function deleteAlias(database: Queryable, address: string): Promise<boolean> {
  const { rowCount } = await database.query('delete from alias where address = $1', [address])
  return rowCount === 1
}

async function addTargets(client: Queryable, address: string, targets: string[]): Promise<void> {
  await client.query(
    'insert into alias_target (alias_address, target) select $1, unnest($2::text[]) on conflict do nothing',
    [address, targets],
  )
}

const COLUMNS = `address, domain, created_at,
  array(select target from alias_target where alias_address = alias.address order by target) as targets`

interface AliasRow {
  address: string
  domain: string
  created_at: Date
  targets: string[]
}

function toAlias({ created_at, ...alias }: AliasRow): Alias {
  return { ...alias, createdAt: created_at.toISOString() }
}
