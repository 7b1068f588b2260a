// Mailing lists as operators make, change, list and remove them.
import { domainOf } from '@sekimori/mail/address'
import type { Database, Queryable } from './database.ts'
import { type AddressState, claimAddress } from './domain-admin.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'

export interface MailingList {
  address: string
  domain: string
  name: string
  memberCount: number
  createdAt: string
}

export interface ListWithMembers extends MailingList {
  members: string[]
}

/** Addresses are normalised; each member is the address of a local account. */
export interface NewList {
  address: string
  name: string
  members: string[]
}

export type ListCreation =
  | { kind: 'created'; list: ListWithMembers }
  | { kind: 'refused'; because: Exclude<AddressState, 'free'> }
  | { kind: 'unknown-members'; addresses: string[] }

/** Makes a list in a domain that is here, at an address that is free. */
export async function createList(database: Database, { address, name, members }: NewList): Promise<ListCreation> {
  const domain = domainOf(address)
  return database.transaction(async (client) => {
    const accounts = await holdAccounts(client, members)
    const state = await claimAddress(client, address, domain)
    if (state !== 'free') return { kind: 'refused', because: state }
    if (accounts.missing.length > 0) return { kind: 'unknown-members', addresses: accounts.missing }
    await client.query('insert into mailing_list (address, domain, name) values ($1, $2, $3)', [address, domain, name])
    await addMembers(client, address, accounts.ids)
    return { kind: 'created', list: (await findList(client, address))! }
  })
}

/** The lists by address, of one domain or of all; a page's key is the address. */
export async function listLists(
  database: Queryable,
  domain: string | undefined,
  { after, limit }: PageRequest,
): Promise<Page<MailingList>> {
  const { rows } = await database.query<ListRow>(
    `select ${COLUMNS} from mailing_list
     where ($1::text is null or domain = $1) and ($2::text is null or address > $2) order by address limit $3`,
    [domain ?? null, after?.[0] ?? null, limit + 1],
  )
  return cutPage(rows, limit, (row) => [row.address], toList)
}

export async function findList(database: Queryable, address: string): Promise<ListWithMembers | undefined> {
  const { rows } = await database.query<ListRow & { members: string[] }>(
    `select ${COLUMNS}, array(
       select account.address from mailing_list_member join account on account.id = account_id
       where list_address = mailing_list.address order by account.address) as members
     from mailing_list where address = $1`,
    [address],
  )
  return rows[0] && { ...toList(rows[0]), members: rows[0].members }
}

export type MemberReplacement =
  | { kind: 'replaced'; list: ListWithMembers }
  | { kind: 'unknown' }
  | { kind: 'unknown-members'; addresses: string[] }

/** Makes these accounts, and no others, the members of the list. */
export async function replaceListMembers(
  database: Database,
  address: string,
  members: string[],
): Promise<MemberReplacement> {
  return database.transaction(async (client) => {
    const accounts = await holdAccounts(client, members)
    const { rowCount } = await client.query('select from mailing_list where address = $1 for update', [address])
    if (rowCount === 0) return { kind: 'unknown' }
    if (accounts.missing.length > 0) return { kind: 'unknown-members', addresses: accounts.missing }
    await client.query(
      'delete from mailing_list_member where list_address = $1 and not account_id = any($2::bigint[])',
      [address, accounts.ids],
    )
    await addMembers(client, address, accounts.ids)
    return { kind: 'replaced', list: (await findList(client, address))! }
  })
}

/** Removes a list; false when there is none. Its members stay as accounts. */
export async function deleteList(database: Queryable, address: string): Promise<boolean> {
  const { rowCount } = await database.query('delete from mailing_list where address = $1', [address])
  return rowCount === 1
}

/** Finds accounts and keeps them until the transaction ends. Accounts are locked before lists, here as in deletion. */
async function holdAccounts(client: Queryable, addresses: string[]): Promise<{ ids: string[]; missing: string[] }> {
  const { rows } = await client.query<{ id: string; address: string }>(
    'select id, address from account where address = any($1::text[]) order by id for key share',
    [addresses],
  )
  const found = new Set(rows.map((row) => row.address))
  return { ids: rows.map((row) => row.id), missing: [...new Set(addresses)].filter((address) => !found.has(address)) }
}

async function addMembers(client: Queryable, listAddress: string, accountIds: string[]): Promise<void> {
  await client.query(
    `insert into mailing_list_member (list_address, account_id) select $1, unnest($2::bigint[]) on conflict do nothing`,
    [listAddress, accountIds],
  )
}

const COLUMNS = `address, domain, name, created_at,
  (select count(*)::int from mailing_list_member where list_address = mailing_list.address) as member_count`

interface ListRow {
  address: string
  domain: string
  name: string
  created_at: Date
  member_count: number
}

function toList({ address, domain, name, member_count, created_at }: ListRow): MailingList {
  return { address, domain, name, memberCount: member_count, createdAt: created_at.toISOString() }
}
