// What operators have decided about domains that mail goes to.
import type { Database, Queryable } from './database.ts'
import { isOfDomains } from './deferred-admin.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'
import { WatchedCache } from './watched-cache.ts'

/** opportunistic: TLS when it works. encrypted: TLS with any certificate. verified: with one that fits the host. */
export type DestinationTls = 'opportunistic' | 'encrypted' | 'verified'

export interface DestinationPolicy {
  domain: string
  tls: DestinationTls
  isPaused: boolean
  pausedAt?: string
  pauseReason?: string
  updatedAt: string
}

export interface DestinationChange {
  tls?: DestinationTls | undefined
  isPaused?: boolean | undefined
  pauseReason?: string | undefined
}

interface Row {
  domain: string
  tls: DestinationTls
  paused_at: Date | null
  pause_reason: string | null
  updated_at: Date
}

const COLUMNS = 'domain, tls, paused_at, pause_reason, updated_at'

/** What was decided about the domain; undefined when nothing was. */
export async function findDestination(database: Queryable, domain: string): Promise<DestinationPolicy | undefined> {
  const { rows } = await database.query<Row>({
    name: 'find_destination',
    text: `select ${COLUMNS} from destination where domain = $1`,
    values: [domain],
  })
  return rows[0] && shape(rows[0])
}

/** A function that answers the same from a cache, which is emptied at every change. */
export function openDestinations(database: Database): (domain: string) => Promise<DestinationPolicy | undefined> {
  const cache = new WatchedCache<{ policy: DestinationPolicy | undefined }>(database)
  return async (domain) =>
    (await cache.get(domain, async () => ({ policy: await findDestination(database, domain) }))).policy
}

/** The domains about which something was decided, by name; with `ofDomains` those that mail of these waits for. */
export async function listDestinations(
  database: Queryable,
  { limit, after }: PageRequest,
  ofDomains?: string[],
): Promise<Page<DestinationPolicy>> {
  const isWaitedFor = `exists (select from deferred_delivery where deferred_delivery.domain = destination.domain and ${isOfDomains('$3')})`
  const { rows } = await database.query<Row>(
    `select ${COLUMNS} from destination where domain > $1 ${ofDomains === undefined ? '' : `and ${isWaitedFor}`}
     order by domain limit $2`,
    [after?.[0] ?? '', limit + 1, ...(ofDomains === undefined ? [] : [ofDomains])],
  )
  return cutPage(rows, limit, ({ domain }) => [domain], shape)
}

/** Changes what was decided; what is not named stays as it is. */
export async function changeDestination(
  database: Queryable,
  domain: string,
  { tls, isPaused, pauseReason }: DestinationChange,
): Promise<DestinationPolicy> {
  const { rows } = await database.query<Row>(
    `insert into destination (domain, tls, paused_at, pause_reason)
     values ($1, coalesce($2, 'opportunistic'), case when $3 then now() end, case when $3 then $4 end)
     on conflict (domain) do update set
       tls = coalesce($2, destination.tls),
       paused_at = case when $3 is null then destination.paused_at when $3 then coalesce(destination.paused_at, now()) end,
       pause_reason = case when $3 is null then destination.pause_reason when $3 then coalesce($4, destination.pause_reason) end,
       updated_at = now()
     returning ${COLUMNS}`,
    [domain, tls ?? null, isPaused ?? null, pauseReason ?? null],
  )
  return shape(rows[0]!)
}

/** Takes back all that was decided; false when nothing was. */
export async function forgetDestination(database: Queryable, domain: string): Promise<boolean> {
  const { rowCount } = await database.query('delete from destination where domain = $1', [domain])
  return rowCount === 1
}

function shape({ domain, tls, paused_at, pause_reason, updated_at }: Row): DestinationPolicy {
  return {
    domain,
    tls,
    isPaused: paused_at !== null,
    ...(paused_at === null ? {} : { pausedAt: paused_at.toISOString() }),
    ...(pause_reason === null ? {} : { pauseReason: pause_reason }),
    updatedAt: updated_at.toISOString(),
  }
}
