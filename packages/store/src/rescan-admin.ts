// What operators see and order of scanning delivered mail again.
import type { Queryable } from './database.ts'

/** The newest run. `reachedAt`: the delivery of the copy that was looked at last, on the way to older ones. */
export interface RescanProgress {
  state: 'ordered' | 'running' | 'done' | 'superseded'
  signatures?: string
  since?: Date
  reachedAt?: Date
  scanned: number
  infected: number
  failed: number
  /** Infected copies that still lie in maildrops, because sessions have them open. */
  waiting: number
  orderedAt: Date
  startedAt?: Date
  finishedAt?: Date
}

/** Orders that delivered mail be scanned again. An order that waits already is the same one. */
export async function orderRescan(database: Queryable): Promise<void> {
  await database.query(`insert into rescan_run (state) values ('ordered') on conflict do nothing`)
}

/** How far the newest run is; undefined when there never was one. */
export async function rescanProgress(database: Queryable): Promise<RescanProgress | undefined> {
  const { rows } = await database.query<ProgressRow>(
    `select rescan_run.*, (select count(*) from maildrop_message join rescan_finding using (content_id)) as waiting
     from rescan_run order by id desc limit 1`,
  )
  const row = rows[0]
  if (row === undefined) return undefined
  return {
    state: row.state,
    ...(row.signatures === null ? {} : { signatures: row.signatures }),
    ...(row.since === null ? {} : { since: row.since }),
    ...(row.reached_at === null ? {} : { reachedAt: row.reached_at }),
    scanned: Number(row.scanned),
    infected: Number(row.infected),
    failed: Number(row.failed),
    waiting: Number(row.waiting),
    orderedAt: row.created_at,
    ...(row.started_at === null ? {} : { startedAt: row.started_at }),
    ...(row.finished_at === null ? {} : { finishedAt: row.finished_at }),
  }
}

interface ProgressRow {
  state: RescanProgress['state']
  signatures: string | null
  since: Date | null
  reached_at: Date | null
  scanned: string
  infected: string
  failed: string
  waiting: string
  created_at: Date
  started_at: Date | null
  finished_at: Date | null
}
