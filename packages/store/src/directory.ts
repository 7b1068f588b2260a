// Who is here: the local domains, accounts, mailing lists and aliases, as edges and stages ask for them.
import { domainOf, normalizeAddress } from '@sekimori/mail/address'
import type { Database, Queryable } from './database.ts'
import { findStandIn } from './directory-stand-in.ts'
import { WatchedCache } from './watched-cache.ts'

/** An account as delivery knows it. */
export interface Member {
  accountId: number
  address: string
  /** Where its mail goes as well; absent when nowhere. */
  forwardTo?: string[]
  /** Present when its mail goes elsewhere and no copy stays. */
  keepsNoCopy?: true
  /** How many octets its maildrop may hold; absent when there is no limit. */
  quotaBytes?: number
}

export type Posting = 'anyone' | 'members' | 'owners'

/** A list; `posting` is absent when anyone may post. */
export interface ListFound {
  address: string
  name: string
  posting?: Posting
  /** What those are told who may not post. */
  refusalText?: string
}

/** What a recipient's address is to us. `foreign`: its domain is not ours; `unknown`: it is ours and has no such address. */
export type Lookup =
  | ({ kind: 'account' } & Member)
  | ({ kind: 'list' } & ListFound)
  /** `address` is the one asked for; what it stands for may in turn be an alias. */
  | { kind: 'alias'; address: string; targets: string[] }
  | { kind: 'unknown' }
  | { kind: 'foreign' }

export interface Directory {
  lookup(address: string): Promise<Lookup>
}

/** A directory with a cache that every change empties. `hostname` is our own name, whose postmaster is somebody here. */
export function openDirectory(database: Database, hostname?: string): Directory {
  const cache = new WatchedCache<Lookup>(database)
  return {
    lookup: (address) => {
      const normal = normalizeAddress(address)
      return cache.get(normal, () => findAddress(database, normal, hostname))
    },
  }
}

async function findAddress(database: Queryable, address: string, hostname: string | undefined): Promise<Lookup> {
  const exact = await findExact(database, address)
  return exact ?? findStandIn(database, address, hostname)
}

/** The account, list or alias that has just this address; undefined when none has. */
export async function findExact(database: Queryable, address: string): Promise<Lookup | undefined> {
  const { rows } = await database.query<AddressRow>({
    name: 'find_address',
    text: `select ${MEMBER_COLUMNS}, mailing_list.name as list_name, posting, refusal_text,
             array(select target from alias_target where alias_address = alias.address order by target) as targets,
             alias.address is not null as is_alias
           from domain left join account on account.address = $1 left join mailing_list on mailing_list.address = $1
             left join alias on alias.address = $1
           where domain.name = $2`,
    values: [address, domainOf(address)],
  })
  const row = rows[0]
  if (row === undefined) return undefined
  if (row.account_id !== null) return { kind: 'account', ...toMember(row as MemberRow, address) }
  if (row.list_name !== null) return { kind: 'list', ...toList(row, address) }
  return row.is_alias ? { kind: 'alias', address, targets: row.targets } : undefined
}

/** The columns of a member, of tables `account` and `domain` (which may be absent). */
export const MEMBER_COLUMNS = `account.id as account_id, account.keeps_copy,
  array(select target from account_forwarding where account_id = account.id order by target) as forward_to,
  coalesce(account.quota_bytes, domain.account_quota_bytes) as quota_bytes`

export interface MemberRow {
  account_id: string
  keeps_copy: boolean
  forward_to: string[]
  quota_bytes: string | null
}

type AddressRow = { [name in keyof MemberRow]: MemberRow[name] | null } & {
  list_name: string | null
  posting: Posting
  refusal_text: string | null
  targets: string[]
  is_alias: boolean
}

export function toMember(row: MemberRow, address: string): Member {
  const isForwarding = row.forward_to.length > 0
  return {
    accountId: Number(row.account_id),
    address,
    ...(isForwarding ? { forwardTo: row.forward_to } : {}),
    ...(isForwarding && !row.keeps_copy ? { keepsNoCopy: true as const } : {}),
    ...(row.quota_bytes === null ? {} : { quotaBytes: Number(row.quota_bytes) }),
  }
}

function toList(row: AddressRow, address: string): ListFound {
  return {
    address,
    name: row.list_name!,
    ...(row.posting === 'anyone' ? {} : { posting: row.posting }),
    ...(row.refusal_text === null ? {} : { refusalText: row.refusal_text }),
  }
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
