// Who asked for what of the quarantine, and when: each call of the settings API leaves a row, whatever its answer.
import type { Queryable } from './database.ts'
import { toJsonb } from './jsonb.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'

export type QuarantineAction = 'list' | 'show' | 'release' | 'delete'

/** `apiKeyId` names the key that was used, without telling it; `detail` is what was asked for beside the mail. */
export interface QuarantineAccess {
  apiKeyId: string
  action: QuarantineAction
  queueId?: string
  detail: Record<string, string | number>
}

export interface RecordedAccess extends QuarantineAccess {
  accessedAt: string
}

/** Records an access. To be called before the answer is looked up: what can't be recorded is not answered. */
export async function recordAccess(database: Queryable, access: QuarantineAccess): Promise<void> {
  const { apiKeyId, action, queueId = null, detail } = access
  await database.query('insert into quarantine_access (api_key_id, action, queue_id, detail) values ($1, $2, $3, $4)', [
    apiKeyId,
    action,
    queueId,
    toJsonb(detail),
  ])
}

/** Accesses, newest first, to one mail or to all; a page's key is the number of the row. */
export async function listAccesses(
  database: Queryable,
  queueId: string | undefined,
  { after, limit }: PageRequest,
): Promise<Page<RecordedAccess>> {
  const { rows } = await database.query<AccessRow>(
    `select id, accessed_at, api_key_id, action, queue_id, detail from quarantine_access
     where ($1::text is null or queue_id = $1) and ($2::bigint is null or id < $2) order by id desc limit $3`,
    [queueId ?? null, after?.[0] ?? null, limit + 1],
  )
  return cutPage(rows, limit, (row) => [row.id], toAccess)
}

interface AccessRow {
  id: string
  accessed_at: Date
  api_key_id: string
  action: QuarantineAction
  queue_id: string | null
  detail: Record<string, string | number>
}

function toAccess({ accessed_at, api_key_id, action, queue_id, detail }: AccessRow): RecordedAccess {
  const accessedAt = accessed_at.toISOString()
  return { accessedAt, apiKeyId: api_key_id, action, ...(queue_id === null ? {} : { queueId: queue_id }), detail }
}
