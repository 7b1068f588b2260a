// Looks at what DNS shows for each DKIM key: who looks next, and what was found. Any number of replicas share the work.
import type { Database, Queryable } from './database.ts'
import { type DkimAlgorithm, keyType } from './dkim-key.ts'
import type { KeyShown, KeyState } from './dkim-key-rule.ts'

/** A replica that dies while it looks leaves the key to others after this. */
const LEASE_MS = 120_000
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000

/** A key to look for. */
export interface KeyToLookFor {
  id: string
  domain: string
  state: KeyState
  name: string
  keyType: 'rsa' | 'ed25519'
  publicKey: string
}

interface DueRow {
  id: string
  domain: string
  selector: string
  state: KeyState
  algorithm: DkimAlgorithm
  public_key: string
}

/** Takes keys whose time has come, each for one caller only. A record that is gone after its key is not looked for any more. */
export async function claimLooks(database: Queryable, now: Date, limit: number): Promise<KeyToLookFor[]> {
  const { rows } = await database.query<DueRow>(
    `with due as (
       select id from dkim_key left join dkim_key_look on key_id = id
       where (next_look_at is null or next_look_at <= $1) and not (state = 'retired' and coalesce(shown, '') = 'missing')
       order by next_look_at nulls first, id limit $2
     ), claimed as (
       insert into dkim_key_look (key_id, next_look_at) select id, $3 from due
       on conflict (key_id) do update set next_look_at = excluded.next_look_at where dkim_key_look.next_look_at <= $1
       returning key_id
     )
     select id, domain, selector, state, algorithm, public_key from dkim_key join claimed on key_id = id order by id`,
    [now, limit, new Date(now.getTime() + LEASE_MS)],
  )
  return rows.map(({ id, domain, selector, state, algorithm, public_key }) => ({
    id,
    domain,
    state,
    name: `${selector}._domainkey.${domain}`,
    keyType: keyType(algorithm),
    publicKey: public_key,
  }))
}

/** What a look found. `unknown`: the question could not be settled, so what was known before stays. */
export interface Look {
  shown: KeyShown
  /** Of the zone, for a record that was found (RFC 2308). */
  negativeTtlSeconds: number
}

/** Writes down what a look found; a change is told to every replica that signs. */
export async function recordLook(database: Database, id: string, look: Look, now: Date): Promise<void> {
  await database.transaction(async (client) => {
    const { rows } = await client.query<{ state: KeyState; shown: KeyShown; looks: number }>(
      `select state, shown, looks from dkim_key_look join dkim_key on id = key_id where key_id = $1
       for update of dkim_key_look`,
      [id],
    )
    const before = rows[0]
    if (before === undefined) return // the domain was removed meanwhile
    const shown = look.shown === 'unknown' ? before.shown : look.shown
    const isSame = shown === before.shown
    const looks = isSame ? before.looks + (look.shown === 'unknown' ? 0 : 1) : 1
    await client.query(
      `update dkim_key_look set shown = $2, looks = $3, negative_ttl_seconds = $4, next_look_at = $5,
         shown_since = case when $6 then shown_since else $7::timestamptz end,
         looked_at = case when $8 then $7::timestamptz else looked_at end
       where key_id = $1`,
      [
        id,
        shown,
        looks,
        look.negativeTtlSeconds,
        new Date(now.getTime() + pauseMs(before.state, shown, looks)),
        isSame,
        now,
        look.shown !== 'unknown',
      ],
    )
    // Only the first looks at something new change which keys sign.
    if (!isSame || looks <= 2) await client.query("select pg_notify('directory_changed', '')")
  })
}

/** Has a key looked for now rather than later: somebody has seen that its record may be gone. */
export async function lookSoon(database: Queryable, id: string, now: Date): Promise<void> {
  await database.query('update dkim_key_look set next_look_at = $2 where key_id = $1 and next_look_at > $2', [id, now])
}

/** New keys are waited for; those that sign are looked after; of those that are done with it is enough to know some day. */
function pauseMs(state: KeyState, shown: KeyShown, looks: number): number {
  const growingMs = Math.min(15 * MINUTE_MS, MINUTE_MS * 2 ** Math.max(looks - 1, 0))
  switch (state) {
    case 'pending':
      return shown === 'matches' ? 5 * MINUTE_MS : growingMs
    case 'active':
      return shown === 'matches' ? HOUR_MS : growingMs
    case 'retiring':
      return 6 * HOUR_MS
    case 'retired':
      return 24 * HOUR_MS
  }
}
