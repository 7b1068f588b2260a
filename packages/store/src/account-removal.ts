// The end of an account: its maildrop goes with it, its lists must not be left without a member.
import { deleteUnusedContent } from './content.ts'
import type { Database, Queryable } from './database.ts'

export type AccountRemoval = { kind: 'deleted' } | { kind: 'unknown' } | { kind: 'last-member'; lists: string[] }

/**
 * Removes an account and its maildrop, and frees the contents that nobody else refers to. The last member of a list
 * stays: mail to a list without members would be lost.
 */
export async function deleteAccount(database: Database, address: string): Promise<AccountRemoval> {
  return database.transaction(async (client) => {
    // The lock keeps deliveries out: a new maildrop row takes a share lock on its account.
    const { rows } = await client.query<{ id: string }>('select id from account where address = $1 for update', [
      address,
    ])
    const id = rows[0]?.id
    if (id === undefined) return { kind: 'unknown' }
    const lists = await soleMemberships(client, id)
    if (lists.length > 0) return { kind: 'last-member', lists }
    const contentIds = await emptyMaildrop(client, id)
    await client.query('delete from account where id = $1', [id])
    await deleteUnusedContent(client, contentIds)
    return { kind: 'deleted' }
  })
}

/** The lists that the account is the only member of. Locks all of its lists, so that no other member leaves meanwhile. */
async function soleMemberships(client: Queryable, accountId: string): Promise<string[]> {
  await client.query(
    `select from mailing_list where address in (select list_address from mailing_list_member where account_id = $1)
     order by address for update`,
    [accountId],
  )
  const { rows } = await client.query<{ list_address: string }>(
    `select list_address from mailing_list_member
     where list_address in (select list_address from mailing_list_member where account_id = $1)
     group by list_address having count(*) = 1 order by list_address`,
    [accountId],
  )
  return rows.map((row) => row.list_address)
}

async function emptyMaildrop(client: Queryable, accountId: string): Promise<string[]> {
  const { rows } = await client.query<{ content_id: string }>(
    `with removed as (delete from maildrop_message where account_id = $1 returning content_id)
     select distinct content_id from removed`,
    [accountId],
  )
  return rows.map((row) => row.content_id)
}
