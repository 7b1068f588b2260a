// Summaries of warnings over the cap: closing one fixes its number, and whichever replica publishes it, it is one mail.
import { derivedQueueId, newQueueId } from '@sekimori/mail/queue-id'
import type { Locale } from './account-admin.ts'
import type { Database, Queryable } from './database.ts'
import { toJsonb } from './jsonb.ts'

/** A summary that is to be mailed. `queueId` is its own and always the same. */
export interface WarningSummary {
  id: string
  queueId: string
  address: string
  locale: Locale
  /** Warnings that were left out, of as many infected mails. */
  leftOut: number
  /** When the first and the last of these were due, in milliseconds since 1970. */
  from: number
  until: number
}

/** Ids of summaries whose time has come and that are not published yet, the oldest first. */
export async function dueSummaries(database: Queryable, limit: number): Promise<string[]> {
  const { rows } = await database.query<{ id: string }>({
    name: 'due_warning_summaries',
    text: `select id from warning_summary where published_at is null and due_at <= clock_timestamp()
           order by due_at limit $1`,
    values: [limit],
  })
  return rows.map((row) => row.id)
}

/** Closes a summary: what is left out from now on belongs to the next one. Undefined when the account is gone. */
export async function closeSummary(database: Database, id: string): Promise<WarningSummary | undefined> {
  return database.transaction(async (client) => {
    const account = await lockOwner(client, id)
    if (account === undefined) return undefined
    await client.query('update warning_summary set closed_at = coalesce(closed_at, clock_timestamp()) where id = $1', [
      id,
    ])
    const { rows } = await client.query<{ left_out: string; first: Date; last: Date }>(
      'select count(*) as left_out, min(decided_at) as first, max(decided_at) as last from virus_warning where summary_id = $1',
      [id],
    )
    const { left_out, first, last } = rows[0]!
    const queueId = derivedQueueId(newQueueId(first.getTime()).slice(0, TIME_LETTERS), `summary ${id}`)
    await insertSummaryWarning(client, queueId, account.address)
    const period = { from: first.getTime(), until: last.getTime() }
    return { id, queueId, ...account, leftOut: Number(left_out), ...period }
  })
}

const TIME_LETTERS = 10

/** The account's lock keeps decisions about its warnings out (see warning-decision.ts). */
async function lockOwner(client: Queryable, id: string): Promise<{ address: string; locale: Locale } | undefined> {
  const { rows } = await client.query<{ address: string; locale: Locale }>(
    `select address, locale from account where id = (select account_id from warning_summary where id = $1)
     for no key update`,
    [id],
  )
  return rows[0]
}

/** A summary can be suspended like a warning; it counts neither towards the cap nor as a suppressed warning. */
async function insertSummaryWarning(client: Queryable, queueId: string, address: string): Promise<void> {
  const trace = {
    queueId,
    recipient: address,
    stage: 'warning',
    outcome: 'written',
    mailFrom: '',
    direction: 'submission',
    history: '[]',
  }
  await client.query(
    `insert into virus_warning (queue_id, party, senders, outcome, trace) values ($1, $2, '{}', 'written', $3)
     on conflict do nothing`,
    [queueId, address, toJsonb(trace)],
  )
}

/** The broker has it. */
export async function markSummaryPublished(database: Queryable, id: string): Promise<void> {
  await database.query('update warning_summary set published_at = clock_timestamp() where id = $1', [id])
}
