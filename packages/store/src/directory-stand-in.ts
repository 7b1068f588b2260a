// Addresses that nobody was given and that reach somebody all the same: name+tag@, a list's -owner and -bounces@,
// postmaster@ and abuse@ (RFC 5321 section 4.5.1, RFC 2142), and what a domain's catch-all takes.
import { domainOf, normalizeAddress } from '@sekimori/mail/address'
import type { Queryable } from './database.ts'
import { findExact, type Lookup } from './directory.ts'

interface LocalDomain {
  hasPlusAddressing: boolean
  hasCatchAll: boolean
}

/** What stands in for a normalised address that is no account's, list's or alias's own. */
export async function findStandIn(database: Queryable, address: string, hostname?: string): Promise<Lookup> {
  const domain = domainOf(address)
  const local = address.slice(0, Math.max(address.lastIndexOf('@'), 0))
  const settings = await findLocalDomain(database, domain)
  if (settings === undefined) {
    const isOwn = hostname !== undefined && domain === domainOf(normalizeAddress(`x@${hostname}`))
    return isOwn && isRole(local) ? hostPostmaster(database, address, domain) : { kind: 'foreign' }
  }
  const plus = local.indexOf('+')
  const base = settings.hasPlusAddressing && plus > 0 ? `${local.slice(0, plus)}@${domain}` : undefined
  const found =
    (base === undefined ? undefined : await findFor(database, base, address)) ??
    (await listOwners(database, address, local, domain)) ??
    (isRole(local) ? await domainPostmaster(database, address, local, domain) : undefined)
  if (found !== undefined) return found
  const caught = settings.hasCatchAll ? await findFor(database, `*@${domain}`, address) : undefined
  return caught ?? { kind: 'unknown' }
}

/** An alias is told by the address that was asked for: that is the recipient who is handed on. */
async function findFor(database: Queryable, base: string, address: string): Promise<Lookup | undefined> {
  const found = await findExact(database, base)
  return found?.kind === 'alias' ? { ...found, address } : found
}

async function findLocalDomain(database: Queryable, domain: string): Promise<LocalDomain | undefined> {
  const { rows } = await database.query<{ plus_addressing: boolean; has_catch_all: boolean }>({
    name: 'find_local_domain',
    text: `select plus_addressing, exists (select from alias where address = '*@' || $1) as has_catch_all
           from domain where name = $1`,
    values: [domain],
  })
  return rows[0] && { hasPlusAddressing: rows[0].plus_addressing, hasCatchAll: rows[0].has_catch_all }
}

/** A list's owners; without any, the domain's postmaster hears of its bounces. */
async function listOwners(
  database: Queryable,
  address: string,
  local: string,
  domain: string,
): Promise<Lookup | undefined> {
  const list = /^(.+)-(?:owner|bounces)$/.exec(local)?.[1]
  if (list === undefined) return undefined
  const { rows } = await database.query<{ owners: string[] }>({
    name: 'list_owners',
    text: `select array(select address from mailing_list_owner where list_address = $1 order by address) as owners
           from mailing_list where address = $1`,
    values: [`${list}@${domain}`],
  })
  if (rows[0] === undefined) return undefined
  const { owners } = rows[0]
  return { kind: 'alias', address, targets: owners.length > 0 ? owners : [`postmaster@${domain}`] }
}

function isRole(local: string): boolean {
  return local === 'postmaster' || local === 'abuse'
}

/** abuse@ is the postmaster's; a postmaster that nobody named is the domain's first account. */
async function domainPostmaster(
  database: Queryable,
  address: string,
  local: string,
  domain: string,
): Promise<Lookup | undefined> {
  if (local === 'abuse' && (await findExact(database, `postmaster@${domain}`)) !== undefined)
    return { kind: 'alias', address, targets: [`postmaster@${domain}`] }
  const { rows } = await database.query<{ address: string }>(
    'select address from account where domain = $1 order by id limit 1',
    [domain],
  )
  return rows[0] && { kind: 'alias', address, targets: [rows[0].address] }
}

/** The postmaster of the domain that our own name lies in; when that is elsewhere, of the first domain that is here. */
async function hostPostmaster(database: Queryable, address: string, hostname: string): Promise<Lookup> {
  const { rows } = await database.query<{ name: string }>(
    `select name from domain order by right($1, length(name) + 1) = '.' || name desc,
       case when right($1, length(name) + 1) = '.' || name then length(name) end desc, created_at, name limit 1`,
    [hostname],
  )
  return rows[0] === undefined
    ? { kind: 'unknown' }
    : { kind: 'alias', address, targets: [`postmaster@${rows[0].name}`] }
}
