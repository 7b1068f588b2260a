// Suspensions of virus warnings as operators make, end and list them, with the exact count of what each one kept back.
import type { Database, Queryable } from './database.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'
import { changeSuspensions } from './warning-suspension.ts'

/** `domain` and `address` are of the party that would be warned, `sender` is who sent the infected mail. */
export type SuspensionScope = 'all' | 'domain' | 'address' | 'sender' | 'signature'

export interface NewSuspension {
  scope: SuspensionScope
  /** Normalised; absent for `all`. */
  value: string | undefined
  reason: string
  createdBy: string
  endsAt: Date | undefined
}

export interface Suspension {
  id: string
  scope: SuspensionScope
  value?: string
  reason: string
  createdBy: string
  createdAt: string
  endsAt?: string
  isActive: boolean
  /** Warnings of infected mail that it kept back, one for each mail and party. */
  suppressed: number
}

/** Makes a suspension. When this resolves, no warning that it covers enters a maildrop any more. */
export async function createSuspension(database: Database, suspension: NewSuspension): Promise<Suspension> {
  const { scope, value, reason, createdBy, endsAt } = suspension
  return changeSuspensions(database, async (client) => {
    const { rows } = await client.query<SuspensionRow>(
      `insert into warning_suspension (scope, value, reason, created_by, ends_at) values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
      [scope, value ?? null, reason, createdBy, endsAt ?? null],
    )
    return toSuspension(rows[0]!)
  })
}

export async function findSuspension(database: Queryable, id: string): Promise<Suspension | undefined> {
  const { rows } = await database.query<SuspensionRow>(
    `select ${COLUMNS} from warning_suspension where id = $1::bigint`,
    [id],
  )
  return rows[0] && toSuspension(rows[0])
}

/** Suspensions, newest first, those in force or over or both; a page's key is the id. */
export async function listSuspensions(
  database: Queryable,
  isActive: boolean | undefined,
  { after, limit }: PageRequest,
): Promise<Page<Suspension>> {
  const { rows } = await database.query<SuspensionRow>(
    `select ${COLUMNS} from warning_suspension
     where ($1::boolean is null or $1 = ${IS_ACTIVE}) and ($2::bigint is null or id < $2) order by id desc limit $3`,
    [isActive ?? null, after?.[0] ?? null, limit + 1],
  )
  return cutPage(rows, limit, (row) => [row.id], toSuspension)
}

/** When a suspension is to end: now, at a time, or (undefined) when somebody ends it. */
export type SuspensionEnd = 'now' | Date | undefined

export type SuspensionChange = { kind: 'changed'; suspension: Suspension } | { kind: 'unknown' } | { kind: 'over' }

/** Sets the end of a suspension that is in force. One that is over stays over: its count is closed. */
export async function endSuspension(database: Database, id: string, end: SuspensionEnd): Promise<SuspensionChange> {
  return changeSuspensions(database, async (client) => {
    const { rows } = await client.query<SuspensionRow>(
      `update warning_suspension set ends_at = case when $2 then clock_timestamp() else $3::timestamptz end
       where id = $1::bigint and ${IS_ACTIVE} returning ${COLUMNS}`,
      [id, end === 'now', end === 'now' ? null : (end ?? null)],
    )
    if (rows[0] !== undefined) return { kind: 'changed', suspension: toSuspension(rows[0]) }
    return { kind: (await findSuspension(client, id)) === undefined ? 'unknown' : 'over' }
  })
}

/** Removes a suspension and its count; the trace keeps naming it. False when there is none. */
export async function deleteSuspension(database: Database, id: string): Promise<boolean> {
  return changeSuspensions(database, async (client) => {
    const { rowCount } = await client.query('delete from warning_suspension where id = $1::bigint', [id])
    return rowCount === 1
  })
}

const IS_ACTIVE = '(ends_at is null or ends_at > clock_timestamp())'
const COLUMNS = `id, scope, value, reason, created_by, created_at, ends_at, ${IS_ACTIVE} as is_active,
  (select count(*) from virus_warning where suspension_id = warning_suspension.id and signature is not null) as suppressed`

interface SuspensionRow {
  id: string
  scope: SuspensionScope
  value: string | null
  reason: string
  created_by: string
  created_at: Date
  ends_at: Date | null
  is_active: boolean
  suppressed: string
}

function toSuspension(row: SuspensionRow): Suspension {
  const { id, scope, reason } = row
  return {
    id,
    scope,
    ...(row.value === null ? {} : { value: row.value }),
    reason,
    createdBy: row.created_by,
    createdAt: row.created_at.toISOString(),
    ...(row.ends_at === null ? {} : { endsAt: row.ends_at.toISOString() }),
    isActive: row.is_active,
    suppressed: Number(row.suppressed),
  }
}
