// How far delivered mail has been scanned again with the signatures in force. Only the process that leads writes here.
import type { Database, Queryable } from './database.ts'
import { type Lead, lockLead } from './leadership.ts'

/** A run in progress. Copies from `cursorUid` down to above `endUid` are to be looked at, then another stretch or none. */
export interface RescanRun {
  id: string
  signatures: string
  since: Date
  /** Where the present stretch began. */
  topUid: string
  cursorUid: string
  endUid: string
}

/** A copy in a maildrop. Content that several copies share is looked at once, at the first of a stretch. */
export interface DeliveredCopy {
  uid: string
  contentId: string
  deliveredAt: Date
  /** Delivered before the time that the run looks at; so are all that follow. */
  isOld: boolean
  isFirst: boolean
}

export interface RescanCounts {
  scanned: number
  infected: number
  failed: number
}

interface RunRow {
  id: string
  state: 'ordered' | 'running' | 'done' | 'superseded'
  signatures: string
  since: Date
  top_uid: string
  origin_uid: string
  cursor_uid: string
  is_wrapped: boolean
}

/**
 * The run to go on with; undefined when all is done. A new one begins when an operator has ordered it, or when the
 * signatures are others than the last run's and `isSettled`. What an unfinished run has left comes first in the new one.
 */
export async function openRun(
  database: Database,
  lead: Lead,
  signatures: string,
  isSettled: boolean,
  days: number,
): Promise<RescanRun | undefined> {
  return database.transaction(async (client) => {
    await lockLead(client, lead)
    const { rows } = await client.query<RunRow>('select * from rescan_run order by id desc limit 2 for update')
    const [newest, before] = rows
    if (newest?.state === 'ordered') return toRun(await begin(client, signatures, days, before, newest.id))
    if (newest?.signatures === signatures) return newest.state === 'running' ? toRun(newest) : undefined
    return isSettled ? toRun(await begin(client, signatures, days, newest)) : undefined
  })
}

async function begin(
  client: Queryable,
  signatures: string,
  days: number,
  before: RunRow | undefined,
  orderedId?: string,
): Promise<RunRow> {
  const left = before?.state === 'running' ? before.cursor_uid : null
  if (left !== null)
    await client.query(`update rescan_run set state = 'superseded', finished_at = now() where state = 'running'`)
  const id = orderedId ?? (await insertRun(client))
  const { rows } = await client.query<RunRow>(
    `with newest as (select coalesce(max(uid), 0) as uid from maildrop_message)
     update rescan_run set state = 'running', started_at = now(), signatures = $2, since = now() - $3 * interval '1 day',
       top_uid = newest.uid, origin_uid = coalesce($4::bigint, newest.uid), cursor_uid = coalesce($4::bigint, newest.uid)
     from newest where id = $1 returning rescan_run.*`,
    [id, signatures, days, left],
  )
  return rows[0]!
}

async function insertRun(client: Queryable): Promise<string> {
  const { rows } = await client.query<{ id: string }>(`insert into rescan_run (state) values ('ordered') returning id`)
  return rows[0]!.id
}

function toRun({ id, signatures, since, top_uid, origin_uid, cursor_uid, is_wrapped }: RunRow): RescanRun {
  const stretch = is_wrapped ? { topUid: top_uid, endUid: origin_uid } : { topUid: origin_uid, endUid: '0' }
  return { id, signatures, since, cursorUid: cursor_uid, ...stretch }
}

/** The next copies, the newest first. */
export async function nextCopies(database: Queryable, run: RescanRun, limit: number): Promise<DeliveredCopy[]> {
  const { rows } = await database.query<{
    uid: string
    content_id: string
    delivered_at: Date
    is_old: boolean
    is_first: boolean
  }>({
    name: 'next_copies',
    text: `select uid, content_id, delivered_at, delivered_at < $4 as is_old,
             not exists (select from maildrop_message as newer
               where newer.content_id = copy.content_id and newer.uid > copy.uid and newer.uid <= $3) as is_first
           from maildrop_message as copy where uid <= $1 and uid > $2 order by uid desc limit $5`,
    values: [run.cursorUid, run.endUid, run.topUid, run.since, limit],
  })
  return rows.map((row) => ({
    uid: row.uid,
    contentId: row.content_id,
    deliveredAt: row.delivered_at,
    isOld: row.is_old,
    isFirst: row.is_first,
  }))
}

/** Notes that all copies down to `last` were looked at; without one the stretch is over. @throws LeadLost */
export async function advanceRun(
  database: Database,
  lead: Lead,
  { id }: RescanRun,
  last: DeliveredCopy | undefined,
  { scanned, infected, failed }: RescanCounts,
): Promise<void> {
  await database.transaction(async (client) => {
    await lockLead(client, lead)
    await client.query(
      `update rescan_run set scanned = scanned + $2, infected = infected + $3, failed = failed + $4,
         cursor_uid = coalesce($5::bigint - 1, cursor_uid), reached_at = coalesce($6, reached_at)
       where id = $1 and state = 'running'`,
      [id, scanned, infected, failed, last?.uid ?? null, last?.deliveredAt ?? null],
    )
    if (last === undefined) await endStretch(client, id)
  })
}

async function endStretch(client: Queryable, id: string): Promise<void> {
  const { rowCount } = await client.query(
    `update rescan_run set is_wrapped = true, cursor_uid = top_uid
     where id = $1 and state = 'running' and not is_wrapped and top_uid > origin_uid`,
    [id],
  )
  if (rowCount === 1) return
  await client.query(`update rescan_run set state = 'done', finished_at = now() where id = $1 and state = 'running'`, [
    id,
  ])
}
