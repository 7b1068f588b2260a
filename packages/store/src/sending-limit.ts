// How much an account may send: the settings' limits, or its own where an operator has set some.
import type { Database, Queryable } from './database.ts'
import { WatchedCache } from './watched-cache.ts'

export interface SendingLimits {
  mailsPerHour: number
  recipientsPerHour: number
  recipientsPerDay: number
  bytesPerDay: number
  maxMessageBytes: number
}

/** The settings of the same names (packages/config). */
export interface LimitSettings {
  MAILS_PER_HOUR: number
  RECIPIENTS_PER_HOUR: number
  RECIPIENTS_PER_DAY: number
  BYTES_PER_DAY: number
  MAX_MESSAGE_BYTES: number
}

/** The limits of the settings, for accounts without limits of their own. */
export function standardLimits(settings: LimitSettings): SendingLimits {
  return {
    mailsPerHour: settings.MAILS_PER_HOUR,
    recipientsPerHour: settings.RECIPIENTS_PER_HOUR,
    recipientsPerDay: settings.RECIPIENTS_PER_DAY,
    bytesPerDay: settings.BYTES_PER_DAY,
    maxMessageBytes: settings.MAX_MESSAGE_BYTES,
  }
}

/** Null: as in the settings. */
export type OwnLimits = { [K in keyof SendingLimits]: number | null }

const NONE: OwnLimits = {
  mailsPerHour: null,
  recipientsPerHour: null,
  recipientsPerDay: null,
  bytesPerDay: null,
  maxMessageBytes: null,
}

/** Asks for an account's limits, with a cache that every change empties. */
export function openSendingLimits(
  database: Database,
  standard: SendingLimits,
): (address: string) => Promise<SendingLimits> {
  const cache = new WatchedCache<SendingLimits>(database)
  return (address) =>
    cache.get(address, async () => effectiveLimits(standard, (await ownLimits(database, address)) ?? NONE))
}

export function effectiveLimits(standard: SendingLimits, own: OwnLimits): SendingLimits {
  const names = Object.keys(standard) as (keyof SendingLimits)[]
  return Object.fromEntries(names.map((name) => [name, own[name] ?? standard[name]])) as unknown as SendingLimits
}

interface LimitRow {
  mails_per_hour: string | null
  recipients_per_hour: string | null
  recipients_per_day: string | null
  bytes_per_day: string | null
  max_message_bytes: string | null
}

const COLUMNS = 'mails_per_hour, recipients_per_hour, recipients_per_day, bytes_per_day, max_message_bytes'

/** The limits that an account has of its own; undefined when there is no such account. */
export async function ownLimits(database: Queryable, address: string): Promise<OwnLimits | undefined> {
  const { rows } = await database.query<LimitRow>({
    name: 'own_sending_limits',
    text: `select ${COLUMNS} from account left join sending_limit on account_id = account.id where address = $1`,
    values: [address],
  })
  return rows[0] && toLimits(rows[0])
}

/** Changes the limits that are given, null to take the settings' again; undefined when there is no such account. */
export async function changeLimits(
  database: Queryable,
  address: string,
  change: Partial<OwnLimits>,
): Promise<OwnLimits | undefined> {
  const now = await ownLimits(database, address)
  if (now === undefined) return undefined
  const { mailsPerHour, recipientsPerHour, recipientsPerDay, bytesPerDay, maxMessageBytes } = { ...now, ...change }
  const { rows } = await database.query<LimitRow>(
    `insert into sending_limit (account_id, ${COLUMNS})
     select id, $2::bigint, $3::bigint, $4::bigint, $5::bigint, $6::bigint from account where address = $1
     on conflict (account_id) do update set mails_per_hour = $2, recipients_per_hour = $3, recipients_per_day = $4,
       bytes_per_day = $5, max_message_bytes = $6
     returning ${COLUMNS}`,
    [address, mailsPerHour, recipientsPerHour, recipientsPerDay, bytesPerDay, maxMessageBytes],
  )
  return rows[0] && toLimits(rows[0])
}

function toLimits(row: LimitRow): OwnLimits {
  const number = (text: string | null) => (text === null ? null : Number(text))
  return {
    mailsPerHour: number(row.mails_per_hour),
    recipientsPerHour: number(row.recipients_per_hour),
    recipientsPerDay: number(row.recipients_per_day),
    bytesPerDay: number(row.bytes_per_day),
    maxMessageBytes: number(row.max_message_bytes),
  }
}
