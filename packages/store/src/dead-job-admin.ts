// What operators see of dead jobs, and order about them. No function here gives content away.
import type { JobHeader } from '@sekimori/mail/job'
import type { Database, Queryable } from './database.ts'
import { type DeadHeader, jobIn } from './dead-job.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'

/** Metadata of a dead job. Without `direction` and the rest it could not be decoded. */
export interface ShownDeadJob {
  id: string
  queue: string
  state: 'dead' | 'replaying'
  reason: string
  diedAt: string
  sizeBytes: number
  queueId?: string
  /** Of a notice to be written: what it is about. */
  notice?: string
  direction?: string
  mailFrom?: string
  account?: string
  recipients?: string[]
  messageId?: string
}

const COLUMNS = `id, queue, state, reason, died_at, size_bytes, message,
  (extract(epoch from died_at) * 1000000)::bigint as micros`

/** Dead jobs, the newest first; a page's key is the time in microseconds since 1970, and the id. */
export async function listDeadJobs(
  database: Queryable,
  filter: { queue?: string | undefined; queueId?: string | undefined },
  { after, limit }: PageRequest,
): Promise<Page<ShownDeadJob>> {
  const { rows } = await database.query<DeadRow>(
    `select ${COLUMNS} from dead_job
     where ($1::text is null or queue = $1) and ($2::text is null or queue_id = $2)
       and ($3::bigint is null or (died_at, id) < (timestamptz 'epoch' + $3::bigint * interval '1 microsecond', $4))
     order by died_at desc, id desc limit $5`,
    [filter.queue ?? null, filter.queueId ?? null, after?.[0] ?? null, after?.[1] ?? null, limit + 1],
  )
  return cutPage(rows, limit, (row) => [row.micros, row.id], shown)
}

export async function findDeadJob(database: Queryable, id: string): Promise<ShownDeadJob | undefined> {
  const { rows } = await database.query<DeadRow>(`select ${COLUMNS} from dead_job where id = $1`, [id])
  return rows[0] && shown(rows[0])
}

/** Orders that the job be published to its queue once more. Asked again it is the same order; false: there is no such job. */
export async function orderReplay(database: Database, id: string): Promise<boolean> {
  const { rowCount } = await database.query(
    `update dead_job set state = 'replaying', ordered_at = coalesce(ordered_at, now()) where id = $1`,
    [id],
  )
  return rowCount === 1
}

interface DeadRow {
  id: string
  queue: string
  state: 'dead' | 'replaying'
  reason: string
  died_at: Date
  size_bytes: string
  message: DeadHeader | null
  micros: string
}

function shown({ id, queue, state, reason, died_at, size_bytes, message }: DeadRow): ShownDeadJob {
  const diedAt = died_at.toISOString()
  const base = { id, queue, state, reason, diedAt, sizeBytes: Number(size_bytes) }
  if (message === null) return base
  return { ...base, ...('kind' in message ? { notice: message.kind } : {}), ...ofJob(jobIn(message)) }
}

function ofJob({ queueId, direction, envelope, session, messageId }: JobHeader) {
  return {
    queueId,
    direction,
    mailFrom: envelope.mailFrom,
    ...(session.account === undefined ? {} : { account: session.account }),
    recipients: envelope.recipients.map(({ address }) => address),
    ...(messageId === undefined ? {} : { messageId }),
  }
}
