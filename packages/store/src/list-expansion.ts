// What delivery asks of a list: its members, batch by batch, its owners, and who may post.
import type { Queryable } from './database.ts'
import { type ListFound, MEMBER_COLUMNS, type Member, type MemberRow, toMember } from './directory.ts'

/** The list's accounts by id, at most `limit` of those after `afterId`. */
export async function memberBatch(
  database: Queryable,
  listAddress: string,
  afterId: number,
  limit: number,
): Promise<Member[]> {
  const { rows } = await database.query<MemberRow & { address: string }>({
    name: 'member_batch',
    text: `select account.address, ${MEMBER_COLUMNS}
           from mailing_list_member join account on account.id = account_id join domain on domain.name = account.domain
           where list_address = $1 and account.id > $2 order by account.id limit $3`,
    values: [listAddress, afterId, limit],
  })
  return rows.map((row) => toMember(row, row.address))
}

/** Members who have no account here. */
export async function outsideMembers(database: Queryable, listAddress: string): Promise<string[]> {
  const { rows } = await database.query<{ address: string }>({
    name: 'outside_members',
    text: 'select address from mailing_list_outside_member where list_address = $1 order by address',
    values: [listAddress],
  })
  return rows.map(({ address }) => address)
}

/** An owner of the list who has an account here; undefined when none has. */
export async function localOwner(database: Queryable, listAddress: string): Promise<string | undefined> {
  const { rows } = await database.query<{ address: string }>({
    name: 'local_owner',
    text: `select address from mailing_list_owner join account using (address) where list_address = $1 order by address limit 1`,
    values: [listAddress],
  })
  return rows[0]?.address
}

/** Whether this sender (a normalised address) may post to the list. Reports and automatic answers may not (''). */
export async function mayPost(database: Queryable, { address, posting }: ListFound, sender: string): Promise<boolean> {
  if (sender === '') return false
  if (posting === undefined) return true
  const { rows } = await database.query<{ is_owner: boolean; is_member: boolean }>({
    name: 'may_post',
    text: `select exists (select from mailing_list_owner where list_address = $1 and address = $2) as is_owner,
             exists (select from mailing_list_outside_member where list_address = $1 and address = $2)
             or exists (select from mailing_list_member join account on account.id = account_id
                        where list_address = $1 and account.address = $2) as is_member`,
    values: [address, sender],
  })
  const { is_owner, is_member } = rows[0]!
  return is_owner || (posting === 'members' && is_member)
}

/** What those are told who may not post; a reply line has room for ASCII only. */
export function refusalText({ address, posting, refusalText: own }: ListFound): string {
  if (own !== undefined && /^[\x20-\x7e]{1,200}$/.test(own)) return own
  return posting === undefined
    ? `${address} takes no automatic mail`
    : `Only ${posting === 'owners' ? 'its owners' : 'members'} may post to ${address}`
}
