// DKIM keys that somebody has to do something about in DNS, and what the postmasters of their domains were told.
import type { Queryable } from './database.ts'
import { type DkimAlgorithm, keyType } from './dkim-key.ts'

/** publish: it waits for its record. restore: it signs, and its record is not there (any more). remove: it is done with. */
export type KeyNoticeReason = 'publish' | 'restore' | 'remove'

export interface KeyProblem {
  id: string
  domain: string
  dnsName: string
  dnsRecord: string
  reason: KeyNoticeReason
  /** Since when, and when somebody was last told (or since when, too), in milliseconds since 1970. */
  since: number
  toldAt: number
  /** Whether it has lasted, and was not told lately. */
  isDue: boolean
}

interface Row {
  id: string
  domain: string
  selector: string
  algorithm: DkimAlgorithm
  public_key: string
  reason: KeyNoticeReason
  since: Date
  told_at: Date | null
  is_due: boolean
}

/** Every key with a problem. It is due when it has lasted for `afterMs`, and was not told for `repeatMs`. */
export async function keyProblems(database: Queryable, afterMs: number, repeatMs: number): Promise<KeyProblem[]> {
  const { rows } = await database.query<Row>({
    name: 'dkim_key_problems',
    text: `with problem as (
             select id, domain, selector, algorithm, public_key, greatest(state_since, shown_since) as since,
               case state when 'pending' then 'publish' when 'active' then 'restore' else 'remove' end as reason
             from dkim_key join dkim_key_look on key_id = id
             where (state in ('pending', 'active') and shown in ('missing', 'differs') and looks >= 2)
               or (state = 'retired' and shown = 'matches')
           )
           select problem.id, domain, selector, algorithm, public_key, problem.reason, since, told_at,
             since <= now() - $1 * interval '1 millisecond'
               and (told_at is null or told_at <= now() - $2 * interval '1 millisecond') as is_due
           from problem left join dkim_key_notice as notice on key_id = problem.id and notice.reason = problem.reason
           order by domain, problem.id`,
    values: [afterMs, repeatMs],
  })
  return rows.map(({ id, domain, selector, algorithm, public_key, reason, since, told_at, is_due }) => ({
    id,
    domain,
    dnsName: `${selector}._domainkey.${domain}`,
    dnsRecord: `v=DKIM1; k=${keyType(algorithm)}; p=${public_key}`,
    reason,
    since: since.getTime(),
    toldAt: (told_at ?? since).getTime(),
    isDue: is_due,
  }))
}

/** The broker has the notice. */
export async function markKeyNotices(
  database: Queryable,
  problems: Pick<KeyProblem, 'id' | 'reason'>[],
): Promise<void> {
  await database.query(
    `insert into dkim_key_notice (key_id, reason)
     select told.id, told.reason from unnest($1::bigint[], $2::text[]) as told (id, reason) join dkim_key using (id)
     on conflict (key_id, reason) do update set told_at = now()`,
    [problems.map(({ id }) => id), problems.map(({ reason }) => reason)],
  )
}
