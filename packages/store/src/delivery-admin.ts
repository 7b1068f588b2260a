// What operators set about delivery: forwarding and quota of an account, plus-addressing and quota of a domain, and who may
// post to a list, who owns it and who is a member without an account.
import type { Database, Queryable } from './database.ts'
import type { Posting } from './directory.ts'

export interface Forwarding {
  /** Normalised; empty when nothing is forwarded. */
  targets: string[]
  keepsCopy: boolean
}

export async function findForwarding(database: Queryable, address: string): Promise<Forwarding | undefined> {
  const { rows } = await database.query<{ targets: string[]; keeps_copy: boolean }>(
    `select keeps_copy, array(select target from account_forwarding where account_id = account.id order by target) as targets
     from account where address = $1`,
    [address],
  )
  return rows[0] && { targets: rows[0].targets, keepsCopy: rows[0].keeps_copy }
}

/** Replaces an account's forwarding; false when there is no such account. */
export async function setForwarding(
  database: Database,
  address: string,
  { targets, keepsCopy }: Forwarding,
): Promise<boolean> {
  return database.transaction(async (client) => {
    const { rows } = await client.query<{ id: string }>(
      'update account set keeps_copy = $2 where address = $1 returning id',
      [address, keepsCopy],
    )
    if (rows[0] === undefined) return false
    await client.query('delete from account_forwarding where account_id = $1', [rows[0].id])
    await client.query(
      'insert into account_forwarding (account_id, target) select $1, unnest($2::text[]) on conflict do nothing',
      [rows[0].id, targets],
    )
    return true
  })
}

export interface Quota {
  /** The account's own; null when its domain decides. */
  quotaBytes: number | null
  /** What holds; null without a limit. */
  effectiveQuotaBytes: number | null
  usedBytes: number
  messages: number
}

export async function findQuota(database: Queryable, address: string): Promise<Quota | undefined> {
  const { rows } = await database.query<{ own: string | null; effective: string | null; used: string; count: string }>(
    `select account.quota_bytes as own, coalesce(account.quota_bytes, account_quota_bytes) as effective,
       coalesce(maildrop_usage.size_bytes, 0) as used, coalesce(maildrop_usage.messages, 0) as count
     from account join domain on domain.name = account.domain left join maildrop_usage on account_id = account.id
     where address = $1`,
    [address],
  )
  const number = (text: string | null) => (text === null ? null : Number(text))
  return (
    rows[0] && {
      quotaBytes: number(rows[0].own),
      effectiveQuotaBytes: number(rows[0].effective),
      usedBytes: Number(rows[0].used),
      messages: Number(rows[0].count),
    }
  )
}

/** Null leaves it to the domain; false when there is no such account. */
export async function setQuota(database: Queryable, address: string, quotaBytes: number | null): Promise<boolean> {
  const { rowCount } = await database.query('update account set quota_bytes = $2 where address = $1', [
    address,
    quotaBytes,
  ])
  return rowCount === 1
}

export interface DomainDelivery {
  plusAddressing: boolean
  accountQuotaBytes: number | null
}

export async function findDomainDelivery(database: Queryable, name: string): Promise<DomainDelivery | undefined> {
  const { rows } = await database.query<{ plus_addressing: boolean; account_quota_bytes: string | null }>(
    'select plus_addressing, account_quota_bytes from domain where name = $1',
    [name],
  )
  if (rows[0] === undefined) return undefined
  const { plus_addressing, account_quota_bytes } = rows[0]
  return {
    plusAddressing: plus_addressing,
    accountQuotaBytes: account_quota_bytes === null ? null : Number(account_quota_bytes),
  }
}

/** Changes what is given; undefined when there is no such domain. */
export async function setDomainDelivery(
  database: Queryable,
  name: string,
  { plusAddressing, accountQuotaBytes }: { [key in keyof DomainDelivery]?: DomainDelivery[key] | undefined },
): Promise<DomainDelivery | undefined> {
  await database.query(
    `update domain set plus_addressing = coalesce($2, plus_addressing),
       account_quota_bytes = case when $3 then $4 else account_quota_bytes end where name = $1`,
    [name, plusAddressing ?? null, accountQuotaBytes !== undefined, accountQuotaBytes ?? null],
  )
  return findDomainDelivery(database, name)
}

export interface ListSettings {
  posting: Posting
  refusalText: string | null
  /** Normalised addresses, here or elsewhere. */
  owners: string[]
  /** Addresses elsewhere. */
  outsideMembers: string[]
}

export async function findListSettings(database: Queryable, address: string): Promise<ListSettings | undefined> {
  const { rows } = await database.query<ListSettings>(
    `select posting, refusal_text as "refusalText",
       array(select address from mailing_list_owner where list_address = $1 order by address) as owners,
       array(select address from mailing_list_outside_member where list_address = $1 order by address) as "outsideMembers"
     from mailing_list where address = $1`,
    [address],
  )
  return rows[0]
}

/** Changes what is given; undefined when there is no such list. */
export async function setListSettings(
  database: Database,
  address: string,
  change: { [key in keyof ListSettings]?: ListSettings[key] | undefined },
): Promise<ListSettings | undefined> {
  return database.transaction(async (client) => {
    const { posting, refusalText, owners, outsideMembers } = change
    await client.query(
      `update mailing_list set posting = coalesce($2, posting), refusal_text = case when $3 then $4 else refusal_text end
       where address = $1`,
      [address, posting ?? null, refusalText !== undefined, refusalText ?? null],
    )
    const found = await findListSettings(client, address)
    if (found === undefined) return undefined
    if (owners !== undefined) await replaceAddresses(client, 'mailing_list_owner', address, owners)
    if (outsideMembers !== undefined)
      await replaceAddresses(client, 'mailing_list_outside_member', address, outsideMembers)
    return findListSettings(client, address)
  })
}

async function replaceAddresses(
  client: Queryable,
  table: 'mailing_list_owner' | 'mailing_list_outside_member',
  list: string,
  addresses: string[],
): Promise<void> {
  await client.query(`delete from ${table} where list_address = $1`, [list])
  await client.query(
    `insert into ${table} (list_address, address) select $1, unnest($2::text[]) on conflict do nothing`,
    [list, addresses],
  )
}
