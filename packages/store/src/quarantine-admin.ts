// What operators may know of quarantined mail: metadata. No function here reads content, and none is to be added.
import type { Envelope, Session } from '@sekimori/mail/job'
import type { Queryable } from './database.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'
import type { Summary } from './quarantine.ts'

/** A mail that was set aside. `summary` holds header fields as a stranger wrote them. */
export interface QuarantinedMail {
  queueId: string
  direction: 'submission' | 'inbound'
  signature: string
  engine: string
  envelope: Envelope
  session: Session
  summary: Summary
  sizeBytes: number
  quarantinedAt: string
}

/** From `from` (inclusive) until `to` (exclusive), by the time of being set aside. */
export interface QuarantinePeriod {
  from?: Date | undefined
  to?: Date | undefined
}

/** Quarantined mail, newest first; a page's key is the time in microseconds since 1970, the queue id and the direction. */
export async function listQuarantine(
  database: Queryable,
  { from, to }: QuarantinePeriod,
  { after, limit }: PageRequest,
): Promise<Page<QuarantinedMail>> {
  const { rows } = await database.query<QuarantineRow>(
    `select ${COLUMNS} from quarantine
     where quarantined_at >= coalesce($1::timestamptz, '-infinity') and quarantined_at < coalesce($2::timestamptz, 'infinity')
       and ($3::bigint is null
         or (quarantined_at, queue_id, direction) < (timestamptz 'epoch' + $3::bigint * interval '1 microsecond', $4, $5))
     order by quarantined_at desc, queue_id desc, direction desc limit $6`,
    [from ?? null, to ?? null, after?.[0] ?? null, after?.[1] ?? null, after?.[2] ?? null, limit + 1],
  )
  return cutPage(rows, limit, (row) => [row.micros, row.queue_id, row.direction], toMail)
}

/** What was set aside of one mail: as a rule one entry, or one a direction. */
export async function findQuarantined(database: Queryable, queueId: string): Promise<QuarantinedMail[]> {
  const { rows } = await database.query<QuarantineRow>(
    `select ${COLUMNS} from quarantine where queue_id = $1 order by direction`,
    [queueId],
  )
  return rows.map(toMail)
}

const COLUMNS = `queue_id, direction, signature, engine, envelope, session, summary, size_bytes, quarantined_at,
  (extract(epoch from quarantined_at) * 1000000)::bigint as micros`

interface QuarantineRow {
  queue_id: string
  direction: 'submission' | 'inbound'
  signature: string
  engine: string
  envelope: Envelope
  session: Session
  summary: Summary
  size_bytes: string
  quarantined_at: Date
  micros: string
}

function toMail(row: QuarantineRow): QuarantinedMail {
  const { direction, signature, engine, envelope, session, summary } = row
  const quarantinedAt = row.quarantined_at.toISOString()
  const sizeBytes = Number(row.size_bytes)
  return { queueId: row.queue_id, direction, signature, engine, envelope, session, summary, sizeBytes, quarantinedAt }
}
