// Stops the sending of an account from which too much infected mail came. An operator lifts it (account-admin.ts).
import type { JobHeader } from '@sekimori/mail/job'
import type { Locale } from './account-admin.ts'
import type { Database, Queryable } from './database.ts'
import { WatchedCache } from './watched-cache.ts'

export interface InfectedLimit {
  /** As many infected mails within the window stop the account's sending. */
  mails: number
  windowMinutes: number
}

export interface SendingStop {
  account: string
  locale: Locale
}

interface SenderRow {
  id: string
  locale: Locale
  sending_stopped_at: Date | null
  sending_stop_queue_id: string | null
}

/**
 * Counts an infected mail of an account, once however often it is asked, by the time of its acceptance. Resolves to the
 * account when this mail is the one that stopped its sending, so that its owner is told; each time it is asked.
 */
export async function countInfected(
  database: Database,
  job: JobHeader,
  limit: InfectedLimit,
): Promise<SendingStop | undefined> {
  const { queueId } = job
  const { account } = job.session
  if (account === undefined) return undefined
  return database.transaction(async (client) => {
    const sender = await lockSender(client, account)
    if (sender === undefined) return undefined
    await client.query(
      `insert into infected_submission (queue_id, account_id, accepted_at) values ($1, $2, $3) on conflict do nothing`,
      [queueId, sender.id, new Date(job.acceptedAt)],
    )
    if (sender.sending_stopped_at !== null)
      return sender.sending_stop_queue_id === queueId ? { account, locale: sender.locale } : undefined
    if (!(await isOverLimit(client, sender.id, job.acceptedAt, limit))) return undefined
    await stopSending(client, sender.id, queueId, limit)
    return { account, locale: sender.locale }
  })
}

async function lockSender(client: Queryable, address: string): Promise<SenderRow | undefined> {
  const { rows } = await client.query<SenderRow>({
    name: 'lock_sender',
    text: `select id, locale, sending_stopped_at, sending_stop_queue_id from account where address = $1
           for no key update`,
    values: [address],
  })
  return rows[0]
}

/** Whether some window that holds this mail holds too many; notices may come in another order than the mails did. */
async function isOverLimit(
  client: Queryable,
  accountId: string,
  acceptedAt: number,
  { mails, windowMinutes }: InfectedLimit,
): Promise<boolean> {
  const { rows } = await client.query<{ is_over: boolean }>({
    name: 'is_over_infected_limit',
    text: `with counted as (
             select accepted_at from infected_submission join account on account.id = account_id
             where account_id = $1 and accepted_at > infected_counted_from
               and abs(extract(epoch from accepted_at - $2)) < $3 * 60
           )
           select exists (
             select from counted as last
             where last.accepted_at >= $2 and $4 <= (
               select count(*) from counted
               where accepted_at <= last.accepted_at and accepted_at > last.accepted_at - $3 * interval '1 minute')
           ) as is_over`,
    values: [accountId, new Date(acceptedAt), windowMinutes, mails],
  })
  return rows[0]!.is_over
}

async function stopSending(
  client: Queryable,
  accountId: string,
  queueId: string,
  { mails, windowMinutes }: InfectedLimit,
): Promise<void> {
  await client.query(
    `update account set sending_stopped_at = clock_timestamp(), sending_stop_queue_id = $2, sending_stop_reason = $3
     where id = $1`,
    [accountId, queueId, `${mails} infected mails within ${windowMinutes} minutes, the last one ${queueId}`],
  )
}

/** Whether an account may send: `gone` when there is none any more, though somebody is still logged in. */
export type SendingState = 'allowed' | 'stopped' | 'gone'

/** Asks for an account's state, with a cache that every change of an account empties. */
export function openSendingState(database: Database): (address: string) => Promise<SendingState> {
  const cache = new WatchedCache<{ state: SendingState }>(database)
  return async (address) => (await cache.get(address, () => readState(database, address))).state
}

async function readState(database: Queryable, address: string): Promise<{ state: SendingState }> {
  const { rows } = await database.query<{ is_stopped: boolean }>({
    name: 'sending_state',
    text: 'select sending_stopped_at is not null as is_stopped from account where address = $1',
    values: [address],
  })
  if (rows[0] === undefined) return { state: 'gone' }
  return { state: rows[0].is_stopped ? 'stopped' : 'allowed' }
}
