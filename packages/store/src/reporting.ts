// Whether DMARC aggregate reports and TLS reports are sent, and in the name of which domain of ours. Off until an operator says.
import type { Database, Queryable } from './database.ts'
import { WatchedCache } from './watched-cache.ts'

export interface Reporting {
  dmarc: boolean
  tls: boolean
  /** The domain in whose name reports are sent; without it none is. */
  senderDomain?: string
}

export type ReportingChange = { [key in keyof Reporting]?: Reporting[key] | undefined }

const OFF: Reporting = { dmarc: false, tls: false }

/** What operators have decided. */
export async function findReporting(database: Queryable): Promise<Reporting> {
  const { rows } = await database.query<{ dmarc: boolean; tls: boolean; sender_domain: string | null }>({
    name: 'find_reporting',
    text: 'select dmarc, tls, sender_domain from reporting',
  })
  const row = rows[0]
  if (row === undefined) return OFF
  return { dmarc: row.dmarc, tls: row.tls, ...(row.sender_domain === null ? {} : { senderDomain: row.sender_domain }) }
}

/** Changes it; what is not named stays as it is. The sender's domain must be one of ours. */
export async function changeReporting(
  database: Queryable,
  { dmarc, tls, senderDomain }: ReportingChange,
): Promise<Reporting> {
  await database.query(
    `insert into reporting (dmarc, tls, sender_domain) values (coalesce($1, false), coalesce($2, false), $3)
     on conflict (is_only_row) do update set dmarc = coalesce($1, reporting.dmarc), tls = coalesce($2, reporting.tls),
       sender_domain = coalesce($3, reporting.sender_domain), updated_at = now()`,
    [dmarc ?? null, tls ?? null, senderDomain ?? null],
  )
  return findReporting(database)
}

/** The same from a cache that every change empties. */
export function openReporting(database: Database): () => Promise<Reporting> {
  const cache = new WatchedCache<Reporting>(database, 1)
  return () => cache.get('', () => findReporting(database))
}
