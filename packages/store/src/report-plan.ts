// Plans the reports about a UTC day once it is over, once for all replicas: one for each domain of which there are results.
import type { Database, Queryable } from './database.ts'

export type ReportKind = 'dmarc' | 'tls'

export interface PlanOptions {
  kinds: ReportKind[]
  /** How long after midnight: what was counted before it is written by then. */
  lagMs: number
  /** Over what time the reports are spread (RFC 8460 section 4.1). */
  spreadMs: number
  /** Of the mails that others took on that day, so many per cent may be report mails. */
  sharePercent: number
}

/** Days that are still reported; older results are only cleared away. */
const DAYS_BACK = 2

/** Plans what is not planned yet; resolves to the days. Domains with much mail come first, as not all may get a report. */
export async function planReports(database: Database, options: PlanOptions): Promise<string[]> {
  return database.transaction(async (client) => {
    // Whoever comes second waits here for the first one's commit, and then has nothing to add.
    const { rows } = await client.query<{ day: string }>(
      `insert into report_day (day, budget)
       select day, coalesce((select floor(mails * $2::float8 / 100) from outbound_count where outbound_count.day = closed.day), 0)
       from (select ((now() - $1 * interval '1 millisecond') at time zone 'utc')::date - back as day
             from generate_series(1, ${DAYS_BACK}) as back) as closed
       on conflict (day) do nothing returning day::text`,
      [options.lagMs, options.sharePercent],
    )
    for (const { day } of rows) await planDay(client, day, options)
    return rows.map(({ day }) => day)
  })
}

async function planDay(client: Queryable, day: string, { kinds, spreadMs }: PlanOptions): Promise<void> {
  await client.query(
    `with subject as (
       select 'dmarc' as kind, policy_domain, sum(mails) as size from dmarc_result where day = $1 group by policy_domain
       union all
       select 'tls', policy_domain, sum(sessions) from tls_result where day = $1 group by policy_domain
     ), ranked as (
       select kind, policy_domain, percent_rank() over (order by size desc, policy_domain) as rank
       from subject where kind = any($2::text[])
     )
     insert into report (day, kind, policy_domain, due_at)
     select $1, kind, policy_domain, now() + (rank + random()) / 2 * $3 * interval '1 millisecond' from ranked`,
    [day, kinds, spreadMs],
  )
}

/** Forgets results that are reported or will not be, and reports after `keepDays`. */
export async function clearReports(database: Queryable, keepDays: number): Promise<void> {
  const before = "(now() at time zone 'utc')::date - $1::integer"
  for (const table of ['dmarc_subject', 'tls_result', 'outbound_count'])
    await database.query(`delete from ${table} where day < ${before}`, [DAYS_BACK + 1])
  await database.query(`delete from report_day where day < ${before}`, [keepDays])
}
