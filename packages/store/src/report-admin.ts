// Reports as operators see them: which were sent about whom, and why others were not.
import type { Queryable } from './database.ts'
import { cutPage, type Page, type PageRequest } from './page.ts'
import type { ReportState } from './report.ts'
import type { ReportKind } from './report-plan.ts'

export interface ReportRecord {
  day: string
  kind: ReportKind
  domain: string
  state: ReportState
  detail?: string
  settledAt?: string
  deliveries: { destination: string; queueId?: string; deliveredAt?: string }[]
}

interface Row {
  day: string
  kind: ReportKind
  policy_domain: string
  state: ReportState
  detail: string | null
  settled_at: Date | null
  deliveries: { destination: string; queue_id: string | null; delivered_at: string | null }[] | null
}

/** The newest first; those about one domain if asked. */
export async function listReports(
  database: Queryable,
  domain: string | undefined,
  { limit, after }: PageRequest,
): Promise<Page<ReportRecord>> {
  const { rows } = await database.query<Row>(
    `select day::text, kind, policy_domain, state, detail, settled_at,
       (select jsonb_agg(to_jsonb(delivery) order by destination) from report_delivery as delivery
        where delivery.day = report.day and delivery.kind = report.kind and delivery.policy_domain = report.policy_domain
       ) as deliveries
     from report
     where ($1::text is null or policy_domain = $1)
       and ($3::text is null or (report.day, kind, policy_domain) < ($3::date, $4::text, $5::text))
     order by report.day desc, kind desc, policy_domain desc limit $2`,
    [domain ?? null, limit + 1, after?.[0] ?? null, after?.[1] ?? null, after?.[2] ?? null],
  )
  return cutPage(rows, limit, ({ day, kind, policy_domain }) => [day, kind, policy_domain], shape)
}

function shape({ day, kind, policy_domain, state, detail, settled_at, deliveries }: Row): ReportRecord {
  return {
    day,
    kind,
    domain: policy_domain,
    state,
    ...(detail === null ? {} : { detail }),
    ...(settled_at === null ? {} : { settledAt: settled_at.toISOString() }),
    deliveries: (deliveries ?? []).map(({ destination, queue_id, delivered_at }) => ({
      destination,
      ...(queue_id === null ? {} : { queueId: queue_id }),
      ...(delivered_at === null ? {} : { deliveredAt: new Date(delivered_at).toISOString() }),
    })),
  }
}
