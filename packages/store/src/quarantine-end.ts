// The end of what lies in quarantine: its time is over, or an operator ordered it deleted. The content goes, the metadata
// stays. Of held mail that its sender believes sent the sender is told before.
import type { JobHeader } from '@sekimori/mail/job'
import type { UnscannableReason } from '@sekimori/mail/unscannable'
import { readHead } from './content.ts'
import type { Database, Queryable } from './database.ts'
import { QUARANTINE_STAGE } from './quarantine.ts'
import { type QuarantineKind, type RecordId, readSealed, recordValues } from './quarantine-content.ts'

const KEY = 'queue_id = $1 and direction = $2 and kind = $3'

/**
 * Marks up to `limit` records that are older than `retentionMs`, the oldest first; resolves to how many. Any number of
 * replicas may call it: each record is taken by one.
 */
export async function expireRecords(database: Queryable, retentionMs: number, limit: number): Promise<number> {
  const { rowCount } = await database.query({
    name: 'expire_quarantine',
    text: `with due as (
             select queue_id, direction, kind from quarantine
             where state = 'kept' and quarantined_at < now() - $1 * interval '1 millisecond'
             order by quarantined_at limit $2 for update skip locked
           )
           update quarantine set state = 'expiring', settled_at = now() from due
           where quarantine.queue_id = due.queue_id and quarantine.direction = due.direction and quarantine.kind = due.kind`,
    values: [retentionMs, limit],
  })
  return rowCount ?? 0
}

/** A record whose content is to go. `job` and `reason` are those of held and refused mail. */
export interface Ending {
  id: RecordId
  state: 'deleting' | 'expiring'
  job?: JobHeader
  reason?: UnscannableReason
  head: Buffer
}

/**
 * Leases the next record whose content is to go, for `leaseMs`; undefined when there is none.
 * @throws Error when its content can't be opened
 */
export async function leaseEnding(database: Database, masterKey: Buffer, leaseMs: number): Promise<Ending | undefined> {
  const { rows } = await database.query<EndingRow>({
    name: 'lease_ending',
    text: `with ending as (
             select queue_id, direction, kind from quarantine
             where state in ('deleting', 'expiring') and (leased_until is null or leased_until < now())
             order by quarantined_at limit 1 for update skip locked
           )
           update quarantine set leased_until = now() + $1 * interval '1 millisecond' from ending
           where quarantine.queue_id = ending.queue_id and quarantine.direction = ending.direction and quarantine.kind = ending.kind
           returning quarantine.queue_id, quarantine.direction, quarantine.kind, state, job, reason`,
    values: [leaseMs],
  })
  const row = rows[0]
  if (row === undefined) return undefined
  const id: RecordId = { queueId: row.queue_id, direction: row.direction, kind: row.kind }
  if (row.job === null || row.reason === null) return { id, state: row.state, head: Buffer.alloc(0) }
  const head = await readHead(readSealed(database, masterKey, id))
  return { id, state: row.state, job: row.job, reason: row.reason, head }
}

interface EndingRow {
  queue_id: string
  direction: string
  kind: QuarantineKind
  state: 'deleting' | 'expiring'
  job: JobHeader | null
  reason: UnscannableReason | null
}

/** Removes the content and writes what became of the mail, in one step. */
export async function finishEnding(database: Database, { id, state }: Ending): Promise<void> {
  await database.transaction(async (client) => {
    const { rowCount } = await client.query(
      `update quarantine set state = $4, settled_at = now(), salt = null, chunks = null where ${KEY} and state = $5`,
      [...recordValues(id), state === 'deleting' ? 'deleted' : 'expired', state],
    )
    if (rowCount === 0) return
    await client.query(`delete from quarantine_chunk where ${KEY}`, recordValues(id))
    await retrace(client, id, state === 'deleting' ? 'deleted' : 'expired', ['held'])
  })
}

/** Writes into the trace what became of mail that stood there as held or dropped. */
export async function retrace(client: Queryable, id: RecordId, outcome: string, before: string[]): Promise<void> {
  await client.query(
    `update message_trace set outcome = $4, ended_at = now() from quarantine
     where message_trace.queue_id = $1 and stage = $5 and outcome = any($6::text[])
       and quarantine.queue_id = $1 and quarantine.direction = $2 and quarantine.kind = $3
       and recipient in (select entry ->> 'address' from jsonb_array_elements(envelope -> 'recipients') as entry)`,
    [...recordValues(id), outcome, QUARANTINE_STAGE, before],
  )
}
