// How full maildrops are (kept by triggers on maildrop_message), and which of them take no more.
import type { Queryable } from './database.ts'
import type { Member } from './directory.ts'

export interface MaildropUsage {
  messages: number
  sizeBytes: number
}

/** What these maildrops hold, by account id; one that never held anything is not in it. */
export async function maildropUsage(database: Queryable, accountIds: number[]): Promise<Map<number, MaildropUsage>> {
  const { rows } = await database.query<{ account_id: string; messages: string; size_bytes: string }>({
    name: 'maildrop_usage',
    text: 'select account_id, messages, size_bytes from maildrop_usage where account_id = any($1::bigint[])',
    values: [accountIds],
  })
  return new Map(
    rows.map((row) => [Number(row.account_id), { messages: Number(row.messages), sizeBytes: Number(row.size_bytes) }]),
  )
}

/** Those of the accounts whose maildrop has no room for so many octets more. Accounts without a quota cost nothing. */
export async function fullMaildrops(database: Queryable, members: Member[], sizeBytes: number): Promise<Set<number>> {
  const limited = members.filter(({ quotaBytes }) => quotaBytes !== undefined)
  if (limited.length === 0) return new Set()
  const usage = await maildropUsage(
    database,
    limited.map(({ accountId }) => accountId),
  )
  const isFull = ({ accountId, quotaBytes }: Member) =>
    (usage.get(accountId)?.sizeBytes ?? 0) + sizeBytes > (quotaBytes ?? Number.POSITIVE_INFINITY)
  return new Set(limited.filter(isFull).map(({ accountId }) => accountId))
}
