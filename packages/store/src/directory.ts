// Who is here: the local domains, accounts and mailing lists, as edges and stages ask for them.
import { domainOf, normalizeAddress } from '@sekimori/mail/address'
import type { Database, Queryable } from './database.ts'
import { WatchedCache } from './watched-cache.ts'

/** What a recipient's address is to us. `foreign`: its domain is not ours; `unknown`: it is ours and has no such address. */
export type Lookup =
  | { kind: 'account'; accountId: number; address: string }
  | { kind: 'list'; address: string; name: string }
  | { kind: 'unknown' }
  | { kind: 'foreign' }

export interface Directory {
  lookup(address: string): Promise<Lookup>
}

/** A directory with a cache that every change empties. */
export function openDirectory(database: Database): Directory {
  const cache = new WatchedCache<Lookup>(database)
  return {
    lookup: (address) => {
      const normal = normalizeAddress(address)
      return cache.get(normal, () => findAddress(database, normal))
    },
  }
}

async function findAddress(database: Queryable, address: string): Promise<Lookup> {
  const { rows } = await database.query<{ account_id: string | null; list_name: string | null }>({
    name: 'find_address',
    text: `select account.id as account_id, mailing_list.name as list_name
           from domain left join account on account.address = $1 left join mailing_list on mailing_list.address = $1
           where domain.name = $2`,
    values: [address, domainOf(address)],
  })
  const row = rows[0]
  if (row === undefined) return { kind: 'foreign' }
  if (row.account_id !== null) return { kind: 'account', accountId: Number(row.account_id), address }
  if (row.list_name !== null) return { kind: 'list', address, name: row.list_name }
  return { kind: 'unknown' }
}

export interface Member {
  accountId: number
  address: string
}

/** The accounts on a list. */
export async function listMembers(database: Queryable, listAddress: string): Promise<Member[]> {
  const { rows } = await database.query<{ id: string; address: string }>({
    name: 'list_members',
    text: `select account.id, account.address from mailing_list_member join account on account.id = account_id
           where list_address = $1 order by account.id`,
    values: [listAddress],
  })
  return rows.map((row) => ({ accountId: Number(row.id), address: row.address }))
}

export interface NoticePreference {
  locale: 'ja' | 'en'
  hasVirusWarning: boolean
}

/** How an account wants to be told; undefined when there is no such account. */
export async function noticePreference(database: Queryable, address: string): Promise<NoticePreference | undefined> {
  const { rows } = await database.query<{ locale: 'ja' | 'en'; virus_warning: boolean }>(
    'select locale, virus_warning from account where address = $1',
    [address],
  )
  return rows[0] && { locale: rows[0].locale, hasVirusWarning: rows[0].virus_warning }
}
