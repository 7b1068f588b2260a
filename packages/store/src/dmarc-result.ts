// DMARC results, summed by UTC day, policy domain and all that one row of an aggregate report has (RFC 9990). Strangers choose
// the names, so there are bounds on what a day, a domain and the names below one registered domain may take.
import { createHash } from 'node:crypto'
import type { DmarcObservation, DmarcRow, PublishedPolicy } from '@sekimori/mail/dmarc-observation'
import type { Database, Queryable } from './database.ts'
import { toJsonb } from './jsonb.ts'
import type { Counted } from './tally.ts'

export interface DmarcBounds {
  /** Policy domains of a day. */
  subjects: number
  /** Of them, below one registered domain. */
  subjectsPerOrganization: number
  rowsPerSubject: number
}

export const dmarcBounds: DmarcBounds = { subjects: 10_000, subjectsPerOrganization: 50, rowsPerSubject: 1_000 }

/** Adds to the counts of today (UTC). Mails over a domain's rows are counted as left out; domains over the bounds are not kept. */
export async function addDmarcResults(
  database: Database,
  counted: Counted<DmarcObservation>[],
  bounds = dmarcBounds,
): Promise<void> {
  // In one order in every process, so that no two wait for one another.
  const bySubject = [...Map.groupBy(counted, ({ item }) => item.policy.domain)].sort(([a], [b]) => (a < b ? -1 : 1))
  await database.transaction(async (client) => {
    for (const [, observations] of bySubject) {
      const subject = await openSubject(client, observations.at(-1)!.item, bounds)
      if (subject !== undefined) await addRows(client, subject, observations, bounds)
    }
  })
}

interface Subject {
  day: string
  domain: string
  rows: number
}

/** The newest policy counts: a report has one. The row stays locked until the transaction's end. */
async function openSubject(
  client: Queryable,
  { policy, organization }: DmarcObservation,
  { subjects, subjectsPerOrganization }: DmarcBounds,
): Promise<Subject | undefined> {
  const { rows } = await client.query<{ day: string; result_rows: number }>({
    name: 'open_dmarc_subject',
    text: `with today as (select (now() at time zone 'utc')::date as day), known as (
             update dmarc_subject set policy = $3 from today
             where dmarc_subject.day = today.day and policy_domain = $1 returning dmarc_subject.day, result_rows
           ), added as (
             insert into dmarc_subject (day, policy_domain, organization, policy)
             select day, $1, $2, $3 from today
             where not exists (select from known)
               and (select count(*) from dmarc_subject where day = (select day from today)) < $4
               and (select count(*) from dmarc_subject where day = (select day from today) and organization = $2) < $5
             on conflict (day, policy_domain) do update set policy = excluded.policy
             returning day, result_rows
           )
           select day::text, result_rows from known union all select day::text, result_rows from added`,
    values: [policy.domain, organization, toJsonb(policy), subjects, subjectsPerOrganization],
  })
  const found = rows[0]
  return found && { day: found.day, domain: policy.domain, rows: found.result_rows }
}

async function addRows(
  client: Queryable,
  { day, domain, rows: before }: Subject,
  observations: Counted<DmarcObservation>[],
  { rowsPerSubject }: DmarcBounds,
): Promise<void> {
  const sums = Map.groupBy(observations, ({ item }) => JSON.stringify(item.row))
  const results = [...sums.keys()]
  const { rows } = await client.query<{ added: number; mails: string }>({
    name: 'add_dmarc_results',
    text: `with offered as (
             select digest, result, mails, row_number() over () as place
             from unnest($3::bytea[], $4::jsonb[], $5::bigint[]) as given (digest, result, mails)
             where not exists (
               select from dmarc_result where day = $1 and policy_domain = $2 and dmarc_result.digest = given.digest)
           ), known as (
             update dmarc_result set mails = dmarc_result.mails + given.mails
             from unnest($3::bytea[], $5::bigint[]) as given (digest, mails)
             where day = $1 and policy_domain = $2 and dmarc_result.digest = given.digest
           ), added as (
             insert into dmarc_result (day, policy_domain, digest, result, mails)
             select $1, $2, digest, result, mails from offered where place <= $6 returning 1
           )
           select (select count(*) from added)::integer as added,
             (select coalesce(sum(mails), 0) from offered where place > $6) as mails`,
    values: [
      day,
      domain,
      results.map((result) => createHash('sha256').update(result).digest()),
      results.map((result) => toJsonb(JSON.parse(result) as DmarcRow)),
      results.map((result) => sums.get(result)!.reduce((sum, { count }) => sum + count, 0)),
      Math.max(0, rowsPerSubject - before),
    ],
  })
  const { added, mails } = rows[0]!
  if (added === 0 && mails === '0') return
  await client.query(
    `update dmarc_subject set result_rows = result_rows + $3, left_out = left_out + $4::bigint
     where day = $1 and policy_domain = $2`,
    [day, domain, added, mails],
  )
}

export interface DmarcSubject {
  policy: PublishedPolicy
  leftOut: number
  rows: { row: DmarcRow; mails: number }[]
}

/** What was counted for a policy domain on a day, the most frequent first; undefined when nothing was. */
export async function readDmarcSubject(
  database: Queryable,
  day: string,
  domain: string,
): Promise<DmarcSubject | undefined> {
  const { rows } = await database.query<{ policy: PublishedPolicy; left_out: string }>(
    'select policy, left_out from dmarc_subject where day = $1 and policy_domain = $2',
    [day, domain],
  )
  const subject = rows[0]
  if (subject === undefined) return undefined
  const results = await database.query<{ result: DmarcRow; mails: string }>(
    'select result, mails from dmarc_result where day = $1 and policy_domain = $2 order by mails desc, digest',
    [day, domain],
  )
  return {
    policy: subject.policy,
    leftOut: Number(subject.left_out),
    rows: results.rows.map(({ result, mails }) => ({ row: result, mails: Number(mails) })),
  }
}
