// The domains that an account knows: it had confirmed mail from them, or wrote to them. Domains only, for a time.
import { LRUCache } from 'lru-cache'
import { batched } from './batch.ts'
import type { Database, Queryable } from './database.ts'

const MOST_PER_ACCOUNT = 500

/** What a maildrop's owner knows, oldest acquaintance first. */
export interface Acquaintance {
  locale: 'ja' | 'en'
  /** Of the account itself. */
  domain: string
  known: { domain: string; firstSeenAt: Date; isWrittenTo: boolean }[]
}

interface Row {
  id: string
  locale: 'ja' | 'en'
  domain: string
  known: { domain: string; firstSeenAt: string; isWrittenTo: boolean }[] | null
}

const KEPT_MS = 10_000
/** Domains in memory, over all accounts. */
const MOST_KEPT = 200_000

/** What accounts know, kept for some seconds; concurrent questions share a query. */
export class Acquaintances {
  readonly #kept = new LRUCache<number, Acquaintance>({ maxSize: MOST_KEPT, ttl: KEPT_MS })
  readonly #load: (accountId: number) => Promise<Acquaintance | undefined>

  constructor(database: Database) {
    this.#load = batched((ids) => loadAcquaintances(database, ids))
  }

  /** Undefined when the account is gone. */
  async of(accountId: number): Promise<Acquaintance | undefined> {
    const kept = this.#kept.get(accountId)
    if (kept !== undefined) return kept
    const loaded = await this.#load(accountId)
    if (loaded !== undefined) this.#kept.set(accountId, loaded, { size: loaded.known.length + 1 })
    return loaded
  }

  /** What the account knows has changed. */
  forget(accountId: number): void {
    this.#kept.delete(accountId)
  }
}

async function loadAcquaintances(database: Queryable, ids: number[]): Promise<(Acquaintance | undefined)[]> {
  const { rows } = await database.query<Row>({
    name: 'acquaintances',
    text: `select id, locale, account.domain,
             (select jsonb_agg(jsonb_build_object('domain', c.domain, 'firstSeenAt', c.first_seen_at,
                'isWrittenTo', c.is_written_to) order by c.first_seen_at, c.domain)
              from correspondent c where c.account_id = account.id) as known
           from account where id = any($1)`,
    values: [ids],
  })
  const byId = new Map(rows.map((row) => [Number(row.id), row]))
  return ids.map((id) => toAcquaintance(byId.get(id)))
}

function toAcquaintance(row: Row | undefined): Acquaintance | undefined {
  if (row === undefined) return undefined
  const known = (row.known ?? []).map((one) => ({ ...one, firstSeenAt: new Date(one.firstSeenAt) }))
  return { locale: row.locale, domain: row.domain, known }
}

/** A domain that an account had to do with; `account` is its id or its address. */
export interface Contact {
  account: number | string
  domain: string
  isWrittenTo: boolean
  /** Which of two domains was known first decides which one is the lookalike, so each has a time of its own. */
  at: Date
}

/** Writes contacts, in one statement; an account keeps the ones seen last. */
export async function noteContacts(database: Queryable, contacts: Contact[]): Promise<void> {
  await database.query({
    name: 'note_contacts',
    text: `insert into correspondent (account_id, domain, is_written_to, first_seen_at, last_seen_at)
           select account.id, contact.domain, bool_or(contact.written), min(contact.at), max(contact.at)
           from unnest($1::bigint[], $2::text[], $3::text[], $4::boolean[], $5::timestamptz[])
             as contact(id, address, domain, written, at)
           join lateral (select id from account where account.id = contact.id
             union all select id from account where account.address = contact.address) as account on true
           group by account.id, contact.domain order by account.id, contact.domain
           on conflict (account_id, domain) do update set last_seen_at = greatest(correspondent.last_seen_at, excluded.last_seen_at),
             is_written_to = correspondent.is_written_to or excluded.is_written_to`,
    values: [
      contacts.map(({ account }) => (typeof account === 'number' ? account : null)),
      contacts.map(({ account }) => (typeof account === 'string' ? account : null)),
      contacts.map(({ domain }) => domain),
      contacts.map(({ isWrittenTo }) => isWrittenTo),
      contacts.map(({ at }) => at),
    ],
  })
}

/** Forgets what was not seen for as long, and of each account all but the ones seen last. */
export async function forgetContacts(database: Queryable, retentionMs: number, now = new Date()): Promise<void> {
  await database.query('delete from correspondent where last_seen_at < $1', [new Date(now.getTime() - retentionMs)])
  await database.query(
    `delete from correspondent using (
       select account_id, domain, row_number() over (partition by account_id order by is_written_to desc, last_seen_at desc) as place
       from correspondent where account_id in (
         select account_id from correspondent group by account_id having count(*) > $1)
     ) as ranked
     where place > $1 and correspondent.account_id = ranked.account_id and correspondent.domain = ranked.domain`,
    [MOST_PER_ACCOUNT],
  )
}
