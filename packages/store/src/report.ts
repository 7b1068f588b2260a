// Reports that are to be made: each leased by one replica, its mails counted against the day's budget before they are made.
import type { Database, Queryable } from './database.ts'
import type { ReportKind } from './report-plan.ts'

export interface ReportKey {
  /** UTC, as 2026-03-01. */
  day: string
  kind: ReportKind
  policyDomain: string
}

export type ReportState = 'waiting' | 'sent' | 'capped' | 'unwanted' | 'failed'

/** Leases reports whose time has come, so that no other replica makes them until `leaseMs` are over. */
export async function leaseReports(
  database: Queryable,
  kinds: ReportKind[],
  limit: number,
  leaseMs: number,
): Promise<ReportKey[]> {
  const { rows } = await database.query<{ day: string; kind: ReportKind; policy_domain: string }>({
    name: 'lease_reports',
    text: `update report set leased_until = now() + $3 * interval '1 millisecond'
           from (select day, kind, policy_domain from report
                 where state = 'waiting' and due_at <= now() and (leased_until is null or leased_until < now())
                   and kind = any($1::text[])
                 order by due_at limit $2 for no key update skip locked) as due
           where report.day = due.day and report.kind = due.kind and report.policy_domain = due.policy_domain
           returning report.day::text, report.kind, report.policy_domain`,
    values: [kinds, limit, leaseMs],
  })
  return rows.map(({ day, kind, policy_domain }) => ({ day, kind, policyDomain: policy_domain }))
}

/**
 * Writes down where the report goes, each destination once. False when the day's budget has no room for its mails; then
 * nothing is written. A repetition after a crash costs nothing.
 */
export async function reserveDeliveries(
  database: Database,
  { day, kind, policyDomain }: ReportKey,
  destinations: { destination: string; queueId?: string }[],
): Promise<boolean> {
  return database.transaction(async (client) => {
    const { rows: days } = await client.query<{ budget: string; used: string }>(
      'select budget, used from report_day where day = $1 for no key update',
      [day],
    )
    const { rows } = await client.query<{ destination: string }>(
      'select destination from report_delivery where day = $1 and kind = $2 and policy_domain = $3',
      [day, kind, policyDomain],
    )
    const known = new Set(rows.map(({ destination }) => destination))
    const added = destinations.filter(({ destination }) => !known.has(destination))
    const mails = added.filter(({ queueId }) => queueId !== undefined).length
    if (Number(days[0]?.used ?? 0) + mails > Number(days[0]?.budget ?? 0) && mails > 0) return false
    await client.query('update report_day set used = used + $2 where day = $1', [day, mails])
    await client.query(
      `insert into report_delivery (day, kind, policy_domain, destination, queue_id)
       select $1, $2, $3, added.* from unnest($4::text[], $5::text[]) as added`,
      [
        day,
        kind,
        policyDomain,
        added.map(({ destination }) => destination),
        added.map(({ queueId }) => queueId ?? null),
      ],
    )
    return true
  })
}

/** The destinations that have not got the report yet. */
export async function openDeliveries(
  database: Queryable,
  { day, kind, policyDomain }: ReportKey,
): Promise<Set<string>> {
  const { rows } = await database.query<{ destination: string }>(
    `select destination from report_delivery
     where day = $1 and kind = $2 and policy_domain = $3 and delivered_at is null`,
    [day, kind, policyDomain],
  )
  return new Set(rows.map(({ destination }) => destination))
}

/** The broker, or the other server, has it. */
export async function markDelivered(
  database: Queryable,
  { day, kind, policyDomain }: ReportKey,
  destination: string,
): Promise<void> {
  await database.query(
    `update report_delivery set delivered_at = now()
     where day = $1 and kind = $2 and policy_domain = $3 and destination = $4`,
    [day, kind, policyDomain, destination],
  )
}

/** Ends a report. */
export async function settleReport(
  database: Queryable,
  { day, kind, policyDomain }: ReportKey,
  state: Exclude<ReportState, 'waiting'>,
  detail?: string,
): Promise<void> {
  await database.query(
    `update report set state = $4, detail = $5, settled_at = now(), leased_until = null
     where day = $1 and kind = $2 and policy_domain = $3 and state = 'waiting'`,
    [day, kind, policyDomain, state, detail ?? null],
  )
}

/** What could not be settled now is tried again later; after a day it is given up. */
export async function postponeReport(
  database: Queryable,
  { day, kind, policyDomain }: ReportKey,
  pauseMs: number,
  detail: string,
): Promise<void> {
  const isTooOld = "day < (now() at time zone 'utc')::date - 1"
  await database.query(
    `update report set detail = $5, leased_until = null, due_at = now() + $4 * interval '1 millisecond',
       state = case when ${isTooOld} then 'failed' else state end, settled_at = case when ${isTooOld} then now() end
     where day = $1 and kind = $2 and policy_domain = $3 and state = 'waiting'`,
    [day, kind, policyDomain, pauseMs, detail],
  )
}
