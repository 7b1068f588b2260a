// What a mail client does with a maildrop: lists it, reads messages as delivered, removes those that it has fetched.
import { asDelivered } from '@sekimori/mail/delivered'
import { asSurrogate } from '@sekimori/mail/surrogate'
import { deleteUnusedContent, readContent } from './content.ts'
import type { Database, Queryable } from './database.ts'
import { type Lease, lockLease } from './maildrop-lease.ts'

/** `uid` is never used again for another message; `sizeBytes` counts the octets that its client gets. */
export interface ListedMessage {
  uid: number
  sizeBytes: number
}

/** So many messages leave in one transaction; a renewal of leases may have to wait for it. */
const REMOVAL_BATCH = 500
const PACKED_BYTES = 16

/**
 * The messages of a maildrop in the order in which they came, for a client that knows UTF-8 or not. They travel packed,
 * eight octets a number: rows would cost ten times the memory, and a maildrop may hold 100,000 messages.
 */
export async function listMaildrop(database: Queryable, accountId: number, isUtf8 = true): Promise<ListedMessage[]> {
  const { rows } = await database.query<{ packed: Buffer | null }>({
    name: isUtf8 ? 'list_maildrop_utf8' : 'list_maildrop',
    text: `select string_agg(int8send(uid) || int8send(${isUtf8 ? 'size_bytes' : 'coalesce(surrogate_bytes, size_bytes)'}),
             ''::bytea order by uid) as packed
           from maildrop_message where account_id = $1`,
    values: [accountId],
  })
  const packed = rows[0]?.packed ?? Buffer.alloc(0)
  return Array.from({ length: packed.length / PACKED_BYTES }, (_, index) => ({
    uid: Number(packed.readBigInt64BE(index * PACKED_BYTES)),
    sizeBytes: Number(packed.readBigInt64BE(index * PACKED_BYTES + PACKED_BYTES / 2)),
  }))
}

/**
 * A message, chunk by chunk, as delivered or, for a client that knows no UTF-8, its surrogate. @throws Error when it is not
 * there, or not whole.
 */
export async function* readMessage(
  database: Queryable,
  accountId: number,
  uid: number,
  isUtf8 = true,
): AsyncIterable<Buffer> {
  const { rows } = await database.query<MessageRow>({
    name: 'read_message',
    text: `select added, struck, content_id, (surrogate_bytes - size_bytes)::int as growth
           from maildrop_message where account_id = $1 and uid = $2`,
    values: [accountId, uid],
  })
  const row = rows[0]
  if (row === undefined) throw new Error(`message ${uid} is not in the maildrop`)
  const message = asDelivered(row.added, readContent(database, row.content_id), row.struck)
  yield* isUtf8 ? message : asSurrogate(message, row.growth ?? undefined)
}

interface MessageRow {
  added: Buffer
  struck: number[]
  content_id: string
  growth: number | null
}

/**
 * Removes messages, with their content where nothing else refers to it, while the lease is this session's.
 * Resolves to how many of them are gone now: all, unless the lease was lost.
 */
export async function removeMessages(database: Database, lease: Lease, uids: number[]): Promise<number> {
  for (let done = 0; done < uids.length; done += REMOVAL_BATCH) {
    const batch = uids.slice(done, done + REMOVAL_BATCH)
    const isRemoved = await database.transaction((client) => removeBatch(client, lease, batch))
    if (!isRemoved) return done
  }
  return uids.length
}

async function removeBatch(client: Queryable, lease: Lease, uids: number[]): Promise<boolean> {
  if (!(await lockLease(client, lease))) return false
  const { rows } = await client.query<{ content_id: string }>({
    name: 'remove_messages',
    text: 'delete from maildrop_message where account_id = $1 and uid = any($2::bigint[]) returning content_id',
    values: [lease.accountId, uids],
  })
  const contentIds = [...new Set(rows.map((row) => row.content_id))]
  await deleteUnusedContent(client, contentIds)
  return true
}
