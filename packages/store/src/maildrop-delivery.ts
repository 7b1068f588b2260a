// Putting mail into maildrops: many rows in one statement, exactly one copy for each (queue id, account).
import { batched } from './batch.ts'
import type { Database, Queryable } from './database.ts'
import { TRACE_COLUMNS, type TraceEntry, traceArrays } from './trace.ts'

/** One copy for one maildrop. `bytes` is the content when it is not stored yet; `struck` flat start, end offsets. */
export interface MaildropCopy {
  accountId: number
  contentId: string
  bytes?: Buffer
  added: Buffer
  struck: number[]
  /** Size in octets as delivered. */
  sizeBytes: number
  /** Size for a client that knows no UTF-8, where that is another. */
  surrogateBytes?: number
  trace: TraceEntry
}

/** Delivers one copy; resolves when it is committed. A copy that was delivered before is not delivered again. */
export type DeliverCopy = (copy: MaildropCopy) => Promise<void>

/** A delivery function that gathers concurrent copies into batches. */
export function openMaildropDelivery(database: Database): DeliverCopy {
  return batched(async (copies) => {
    await insertCopies(database, copies)
    return copies.map(() => undefined)
  })
}

/**
 * The trace row decides: its key outlives the copy, which its owner may have fetched and deleted by the time that a
 * job comes again. A job may come twice in one batch, too.
 */
export async function insertCopies(client: Queryable, copies: MaildropCopy[]): Promise<void> {
  // A mail to many sends its content once, not once for each of them.
  const contents = new Map(copies.flatMap(({ contentId, bytes }) => (bytes === undefined ? [] : [[contentId, bytes]])))
  await client.query({
    name: 'insert_copies',
    text: `with copy as (
             select * from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::jsonb[], $11::text[],
                                  $12::bigint[], $13::text[], $14::bytea[], $15::text[], $16::bigint[], $19::bigint[])
               as copy(${TRACE_COLUMNS}, account_id, content_id, added, struck, size_bytes, surrogate_bytes)
           ), traced as (
             insert into message_trace (${TRACE_COLUMNS}) select ${TRACE_COLUMNS} from copy
             on conflict do nothing returning queue_id, recipient, stage
           ), fresh as (
             select distinct on (queue_id, recipient, stage) copy.* from copy join traced using (queue_id, recipient, stage)
           ), stored as (
             insert into content (id, size_bytes, bytes)
             select content_id, octet_length(bytes), bytes
             from unnest($17::text[], $18::bytea[]) as given(content_id, bytes)
             where content_id in (select content_id from fresh) order by content_id
             on conflict do nothing
           )
           insert into maildrop_message (account_id, queue_id, content_id, added, struck, size_bytes, surrogate_bytes)
           select account_id, queue_id, content_id, added, struck::integer[], size_bytes, surrogate_bytes from fresh order by content_id`,
    values: [
      ...traceArrays(copies.map((copy) => copy.trace)),
      copies.map((copy) => copy.accountId),
      copies.map((copy) => copy.contentId),
      copies.map((copy) => copy.added),
      copies.map((copy) => `{${copy.struck.join(',')}}`),
      copies.map((copy) => copy.sizeBytes),
      [...contents.keys()],
      [...contents.values()],
      copies.map((copy) => copy.surrogateBytes ?? null),
    ],
  })
}
