// What operators may know of quarantined mail: metadata. No function here reads content, and none is to be added.
import type { Envelope, Session } from '@sekimori/mail/job'
import type { UnscannableReason } from '@sekimori/mail/unscannable'
import type { Queryable } from './database.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'
import type { Summary } from './quarantine.ts'
import type { QuarantineKind } from './quarantine-content.ts'
import type { QuarantineState } from './quarantine-order.ts'

/** Mail that was set aside. Infected mail has a signature, other mail a reason. `summary` is as a stranger wrote it. */
export interface QuarantinedMail {
  queueId: string
  direction: 'submission' | 'inbound'
  kind: QuarantineKind
  state: QuarantineState
  signature?: string
  reason?: UnscannableReason
  engine: string
  /** The recipients are those for whom the mail was set aside. */
  envelope: Envelope
  session: Session
  summary: Summary
  sizeBytes: number
  quarantinedAt: string
  settledAt?: string
  /** Whether operators may order its release, as far as it stands by itself. */
  isReleasable: boolean
}

/** From `from` (inclusive) until `to` (exclusive), by the time of being set aside. */
export interface QuarantineFilter {
  from?: Date | undefined
  to?: Date | undefined
  kind?: QuarantineKind | undefined
  state?: QuarantineState | undefined
}

/** Quarantined mail, newest first; a page's key is the time in microseconds since 1970, queue id, direction and kind. */
export async function listQuarantine(
  database: Queryable,
  { from, to, kind, state }: QuarantineFilter,
  { after, limit }: PageRequest,
): Promise<Page<QuarantinedMail>> {
  const { rows } = await database.query<QuarantineRow>(
    `select ${COLUMNS} from quarantine
     where quarantined_at >= coalesce($1::timestamptz, '-infinity') and quarantined_at < coalesce($2::timestamptz, 'infinity')
       and ($3::text is null or kind = $3) and ($4::text is null or state = $4)
       and ($5::bigint is null
         or (quarantined_at, queue_id, direction, kind) < (timestamptz 'epoch' + $5::bigint * interval '1 microsecond', $6, $7, $8))
     order by quarantined_at desc, queue_id desc, direction desc, kind desc limit $9`,
    [from ?? null, to ?? null, kind ?? null, state ?? null, ...[0, 1, 2, 3].map((i) => after?.[i] ?? null), limit + 1],
  )
  return cutPage(rows, limit, (row) => [row.micros, row.queue_id, row.direction, row.kind], toMail)
}

/** What was set aside of one mail: as a rule one entry, or one a direction and kind. */
export async function findQuarantined(database: Queryable, queueId: string): Promise<QuarantinedMail[]> {
  const { rows } = await database.query<QuarantineRow>(
    `select ${COLUMNS} from quarantine where queue_id = $1 order by direction, kind`,
    [queueId],
  )
  return rows.map(toMail)
}

const COLUMNS = `queue_id, direction, kind, state, signature, reason, is_whole, engine, envelope, session, summary, size_bytes,
  quarantined_at, settled_at, (extract(epoch from quarantined_at) * 1000000)::bigint as micros`

interface QuarantineRow {
  queue_id: string
  direction: 'submission' | 'inbound'
  kind: QuarantineKind
  state: QuarantineState
  signature: string | null
  reason: UnscannableReason | null
  is_whole: boolean
  engine: string
  envelope: Envelope
  session: Session
  summary: Summary
  size_bytes: string
  quarantined_at: Date
  settled_at: Date | null
  micros: string
}

function toMail(row: QuarantineRow): QuarantinedMail {
  const { direction, kind, state, signature, reason, engine, envelope, session, summary } = row
  return {
    queueId: row.queue_id,
    direction,
    kind,
    state,
    ...(signature === null ? {} : { signature }),
    ...(reason === null ? {} : { reason }),
    engine,
    envelope,
    session,
    summary,
    sizeBytes: Number(row.size_bytes),
    quarantinedAt: row.quarantined_at.toISOString(),
    ...(row.settled_at === null ? {} : { settledAt: row.settled_at.toISOString() }),
    isReleasable: kind !== 'infected' && row.is_whole && state === 'kept',
  }
}
