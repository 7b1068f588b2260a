// The sums of usage_count: what all replicas together have counted.
import type { Queryable } from './database.ts'

export interface UsageAddition {
  kind: string
  subject: string
  startsAt: number
  endsAt: number
  amount: number
}

/** Adds; resolves to the new sums, by "kind startsAt subject". */
export async function addUsage(database: Queryable, additions: UsageAddition[]): Promise<Map<string, number>> {
  const column = <K extends keyof UsageAddition>(name: K) => additions.map((addition) => addition[name])
  const times = (name: 'startsAt' | 'endsAt') => column(name).map((time) => new Date(time))
  // In order, so that two replicas never wait for one another.
  const { rows } = await database.query<{ kind: string; subject: string; starts_at: Date; used: string }>({
    name: 'add_usage',
    text: `insert into usage_count (kind, subject, starts_at, expires_at, used)
           select kind, subject, starts_at, ends_at + interval '1 day', amount
           from unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::bigint[])
             as added (kind, subject, starts_at, ends_at, amount)
           order by kind, subject, starts_at
           on conflict (kind, subject, starts_at) do update set used = usage_count.used + excluded.used
           returning kind, subject, starts_at, used`,
    values: [column('kind'), column('subject'), times('startsAt'), times('endsAt'), column('amount')],
  })
  return new Map(rows.map((row) => [`${row.kind} ${row.starts_at.getTime()} ${row.subject}`, Number(row.used)]))
}

/** Forgets windows that are long over. */
export async function removeExpiredUsage(database: Queryable): Promise<void> {
  await database.query('delete from usage_count where expires_at < now()')
}

/** What a subject has used in the windows that contain this moment, by kind. */
export async function currentUsage(database: Queryable, subject: string): Promise<Map<string, number>> {
  const { rows } = await database.query<{ kind: string; used: string }>(
    `select kind, used from usage_count
     where subject = $1 and starts_at <= now() and expires_at - interval '1 day' > now()`,
    [subject],
  )
  return new Map(rows.map((row) => [row.kind, Number(row.used)]))
}
