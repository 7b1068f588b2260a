// Jobs that were given up, as they lie here for operators: kept once each, and published again when one is ordered to be.
import type { Content } from '@sekimori/mail/content'
import type { JobHeader } from '@sekimori/mail/job'
import type { NoticeHeader } from '@sekimori/mail/notice'
import type { Database, Queryable } from './database.ts'
import { storableText, toJsonb } from './jsonb.ts'
import { noteUnderWay, underWay } from './under-way.ts'

/** What a queue's message says besides inline content; of stored content it says where that lies. */
export type DeadHeader = (JobHeader | NoticeHeader) & { content?: Extract<Content, { kind: 'stored' }> }

export interface DeadJob {
  id: string
  queue: string
  reason: string
  diedAt: Date
  /** Undefined when it can't be decoded. */
  message: { content: Content } | undefined
  octets: Buffer
  headers: Record<string, string>
}

/** The job that a message is, or that a notice is about. */
export function jobIn(header: DeadHeader): JobHeader {
  return 'job' in header ? header.job : header
}

/** Keeps a dead job; once, however often it comes. The trace shows its recipients, too. */
export async function keepDeadJob(database: Queryable, job: DeadJob): Promise<void> {
  const header = job.message === undefined ? undefined : headerOf(job.message)
  await database.query({
    name: 'keep_dead_job',
    text: `insert into dead_job (id, queue, reason, died_at, queue_id, message, size_bytes, headers, octets)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    values: [
      job.id,
      job.queue,
      storableText(job.reason),
      job.diedAt,
      header === undefined ? null : storableText(jobIn(header).queueId),
      header === undefined ? null : toJsonb(header),
      job.octets.length,
      toJsonb(job.headers),
      job.octets,
    ],
  })
  if (header !== undefined && 'envelope' in header) await noteUnderWay(database, underWay(header))
}

function headerOf({ content, ...header }: { content: Content }): DeadHeader {
  return (content.kind === 'stored' ? { ...header, content } : header) as DeadHeader
}

/**
 * Publishes the next job of which that was ordered, and forgets it when the broker has it; false when there is none.
 * Killed in between it publishes the job twice: every stage expects that.
 */
export async function replayNext(
  database: Database,
  publish: (queue: string, octets: Buffer, headers: Record<string, string>) => Promise<void>,
): Promise<boolean> {
  return database.transaction(async (client) => {
    const { rows } = await client.query<ReplayRow>(
      `select id, queue, octets, headers from dead_job where state = 'replaying'
       order by ordered_at limit 1 for update skip locked`,
    )
    const row = rows[0]
    if (row === undefined) return false
    await publish(row.queue, row.octets, row.headers)
    await client.query('delete from dead_job where id = $1', [row.id])
    return true
  })
}

interface ReplayRow {
  id: string
  queue: string
  octets: Buffer
  headers: Record<string, string>
}

/** How many jobs of each queue wait for an operator. */
export async function countDeadJobs(database: Queryable): Promise<Map<string, number>> {
  const { rows } = await database.query<{ queue: string; count: string }>(
    `select queue, count(*) from dead_job where state = 'dead' group by queue`,
  )
  return new Map(rows.map(({ queue, count }) => [queue, Number(count)]))
}
