// Carrying out a release: the mail goes back to the scanner as a job, and goes on from there exactly once. Each attempt
// at publishing it has a token; the first token that comes out of the queue while it is the record's own wins.
import { randomUUID } from 'node:crypto'
import { contentHolder } from '@sekimori/mail/content'
import { type Job, type JobHeader, type Release, withHistory } from '@sekimori/mail/job'
import type { UnscannableReason } from '@sekimori/mail/unscannable'
import { dropHold, writeContent } from './content.ts'
import type { Database, Queryable } from './database.ts'
import { QUARANTINE_STAGE } from './quarantine.ts'
import { type RecordId, readSealed, recordValues } from './quarantine-content.ts'
import { retrace } from './quarantine-end.ts'

interface OrderedRow {
  queue_id: string
  direction: JobHeader['direction']
  kind: 'held' | 'refused'
  reason: UnscannableReason
  job: JobHeader
}

const contentIdOf = (queueId: string, token: string) => `${queueId}.${token}`
const KEY = 'queue_id = $1 and direction = $2 and kind = $3'

/**
 * Takes up the next release that nobody works on and makes its job, with a plain copy of the content; undefined when
 * there is none. Unless `markPublished` follows within `leaseMs`, another attempt is made, which voids this one.
 * @throws Error when the content can't be opened; then the next call takes up the next release
 */
export async function prepareRelease(database: Database, masterKey: Buffer, leaseMs: number): Promise<Job | undefined> {
  const row = await leaseRow(database, leaseMs)
  return row && database.transaction((client) => makeJob(client, masterKey, row))
}

async function leaseRow(database: Queryable, leaseMs: number): Promise<OrderedRow | undefined> {
  const { rows } = await database.query<OrderedRow>({
    name: 'lease_release',
    text: `with ordered as (
             select queue_id, direction, kind from quarantine
             where state = 'releasing' and (leased_until is null or leased_until < now())
             order by quarantined_at limit 1 for update skip locked
           )
           update quarantine set leased_until = now() + $1 * interval '1 millisecond' from ordered
           where quarantine.queue_id = ordered.queue_id and quarantine.direction = ordered.direction and quarantine.kind = ordered.kind
           returning quarantine.queue_id, quarantine.direction, quarantine.kind, reason, job`,
    values: [leaseMs],
  })
  return rows[0]
}

async function makeJob(client: Queryable, masterKey: Buffer, row: OrderedRow): Promise<Job | undefined> {
  const { queue_id: queueId, direction, kind, reason, job } = row
  const id: RecordId = { queueId, direction, kind }
  const holder = contentHolder(queueId, direction)
  const { rows } = await client.query<{ release_token: string | null }>(
    `select release_token from quarantine where ${KEY} and state = 'releasing' for update`,
    recordValues(id),
  )
  if (rows[0] === undefined) return undefined // an earlier attempt's job has come through meanwhile
  const earlier = rows[0].release_token
  if (earlier !== null) await dropHold(client, contentIdOf(queueId, earlier), holder)
  const token = randomUUID()
  const contentId = contentIdOf(queueId, token)
  const sizeBytes = await writeContent(client, contentId, holder, readSealed(client, masterKey, id))
  await client.query(`update quarantine set release_token = $4 where ${KEY}`, [...recordValues(id), token])
  const released: Release = { reason, direction, kind, token }
  return {
    ...withHistory(job, QUARANTINE_STAGE, 'released'),
    released,
    content: { kind: 'stored', id: contentId, sizeBytes },
  }
}

/** Notes that the broker has the job: no further attempt is made. */
export async function markPublished(database: Queryable, { queueId, released }: Job): Promise<void> {
  const { direction, kind, token } = released!
  await database.query(
    `update quarantine set leased_until = 'infinity' where ${KEY} and state = 'releasing' and release_token = $4`,
    [...recordValues({ queueId, direction, kind }), token],
  )
}

/**
 * Whether this job is the one by which its mail is released; then the quarantine lets go of the content. Another
 * attempt's job is void: what it holds is let go.
 */
export async function claimRelease(database: Database, job: Job): Promise<boolean> {
  const { queueId, content } = job
  const { direction, kind, token } = job.released!
  const id: RecordId = { queueId, direction, kind }
  return database.transaction(async (client) => {
    const { rows } = await client.query<{ state: string; release_token: string | null }>(
      `select state, release_token from quarantine where ${KEY} for update`,
      recordValues(id),
    )
    if (rows[0] === undefined) throw new Error(`the quarantine knows nothing of ${recordValues(id).join('/')}`)
    const { state, release_token } = rows[0]
    if (release_token !== token) {
      if (content.kind === 'stored') await dropHold(client, content.id, contentHolder(queueId, job.direction))
      return false
    }
    if (state === 'releasing') await settleReleased(client, id)
    return true
  })
}

async function settleReleased(client: Queryable, id: RecordId): Promise<void> {
  await client.query(
    `update quarantine set state = 'released', settled_at = now(), salt = null, chunks = null where ${KEY}`,
    recordValues(id),
  )
  await client.query(`delete from quarantine_chunk where ${KEY}`, recordValues(id))
  await retrace(client, id, 'released', ['held', 'dropped'])
}
