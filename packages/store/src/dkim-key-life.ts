// DKIM keys from one state to the next. Every step locks the domain, so that however many replicas take it, it is taken once.
import type { Database, Queryable } from './database.ts'
import type { DkimAlgorithm } from './dkim-key.ts'
import { createPendingKey, dkimAlgorithms } from './dkim-key-creation.ts'
import {
  type KeyPolicy,
  type KeyShown,
  type KeyState,
  type KeyStep,
  type LivingKey,
  stepsNow,
} from './dkim-key-rule.ts'

/** A step that was taken, for the log. */
export interface TakenStep {
  kind: KeyStep['kind']
  selector: string
}

/** Takes the steps that are due for the keys of a domain. */
export async function advanceKeys(
  database: Database,
  domain: string,
  masterKey: Buffer,
  policy: KeyPolicy,
  now: Date,
): Promise<TakenStep[]> {
  // Mostly nothing is due; the lock is for when something is.
  if (stepsNow(await livingKeys(database, domain), now, policy).length === 0) return []
  return database.transaction(async (client) => {
    if (!(await lockDomain(client, domain))) return []
    const keys = await livingKeys(client, domain)
    const taken: TakenStep[] = []
    for (const step of stepsNow(keys, now, policy)) {
      const selector = await take(client, domain, step, keys, masterKey, now)
      taken.push({ kind: step.kind, selector })
    }
    return taken
  })
}

async function take(
  client: Queryable,
  domain: string,
  step: KeyStep,
  keys: NamedKey[],
  masterKey: Buffer,
  now: Date,
): Promise<string> {
  switch (step.kind) {
    case 'create':
      return createPendingKey(client, masterKey, domain, step.algorithm, now)
    case 'activate':
      await activate(client, domain, step.algorithm, step.id, now)
      break
    case 'retire':
      await retire(client, step.id, now)
      break
  }
  return keys.find(({ id }) => id === step.id)!.selector
}

/** Makes keys to come next, for each algorithm that has none. Resolves to their selectors; undefined: no such domain. */
export async function prepareRotation(
  database: Database,
  domain: string,
  masterKey: Buffer,
  now = new Date(),
): Promise<string[] | undefined> {
  return database.transaction(async (client) => {
    if (!(await lockDomain(client, domain))) return undefined
    const keys = await livingKeys(client, domain)
    const selectors: string[] = []
    for (const algorithm of dkimAlgorithms) {
      const isThere = keys.some((key) => key.algorithm === algorithm && key.state === 'pending')
      if (!isThere) selectors.push(await createPendingKey(client, masterKey, domain, algorithm, now))
    }
    return selectors
  })
}

export type KeyChange =
  | { kind: 'changed' }
  | { kind: 'unknown' }
  | { kind: 'wrong-state'; state: KeyState }
  /** It is the only key that signs. */
  | { kind: 'last' }

/** Lets a pending or retiring key sign from now on. The caller has just seen that DNS shows it. */
export async function activateKey(
  database: Database,
  domain: string,
  selector: string,
  now = new Date(),
): Promise<KeyChange> {
  return database.transaction(async (client) => {
    const key = await lockKey(client, domain, selector)
    if (key === undefined) return { kind: 'unknown' }
    if (key.state === 'retired') return { kind: 'wrong-state', state: key.state }
    if (key.state !== 'active') await activate(client, domain, key.algorithm, key.id, now)
    await client.query(
      `insert into dkim_key_look (key_id, shown, shown_since, looks, looked_at, next_look_at) values ($1, 'matches', $2, 1, $2, $2)
       on conflict (key_id) do update set shown = 'matches', looks = 1, looked_at = $2, next_look_at = $2`,
      [key.id, now],
    )
    return { kind: 'changed' }
  })
}

/** Ends a key: one that signs goes on being published until mail under way is done, any other one is done with at once. */
export async function retireKey(
  database: Database,
  domain: string,
  selector: string,
  now = new Date(),
): Promise<KeyChange> {
  return database.transaction(async (client) => {
    const key = await lockKey(client, domain, selector)
    if (key === undefined) return { kind: 'unknown' }
    if (key.state === 'retired') return { kind: 'changed' }
    if (key.state !== 'active') {
      await retire(client, key.id, now)
      return { kind: 'changed' }
    }
    const active = (await livingKeys(client, domain)).filter(({ state }) => state === 'active')
    if (active.length === 1) return { kind: 'last' }
    await setState(client, key.id, 'retiring', now)
    return { kind: 'changed' }
  })
}

async function lockDomain(client: Queryable, domain: string): Promise<boolean> {
  const { rowCount } = await client.query('select from domain where name = $1 for no key update', [domain])
  return rowCount === 1
}

async function lockKey(client: Queryable, domain: string, selector: string): Promise<NamedKey | undefined> {
  if (!(await lockDomain(client, domain))) return undefined
  return (await livingKeys(client, domain, ['pending', 'active', 'retiring', 'retired'])).find(
    (key) => key.selector === selector,
  )
}

async function activate(
  client: Queryable,
  domain: string,
  algorithm: DkimAlgorithm,
  id: string,
  now: Date,
): Promise<void> {
  await client.query(
    `update dkim_key set state = 'retiring', state_since = $3
     where domain = $1 and algorithm = $2 and state = 'active'`,
    [domain, algorithm, now],
  )
  await setState(client, id, 'active', now)
}

async function retire(client: Queryable, id: string, now: Date): Promise<void> {
  await client.query(
    "update dkim_key set state = 'retired', state_since = $2, sealed_private_key = null where id = $1",
    [id, now],
  )
}

async function setState(client: Queryable, id: string, state: KeyState, now: Date): Promise<void> {
  await client.query('update dkim_key set state = $2, state_since = $3 where id = $1', [id, state, now])
}

type NamedKey = LivingKey & { selector: string }

interface LivingRow {
  id: string
  selector: string
  algorithm: DkimAlgorithm
  state: KeyState
  state_since: Date
  shown: KeyShown | null
  shown_since: Date | null
  looks: number | null
  negative_ttl_seconds: number | null
}

async function livingKeys(
  client: Queryable,
  domain: string,
  states: KeyState[] = ['pending', 'active', 'retiring'],
): Promise<NamedKey[]> {
  const { rows } = await client.query<LivingRow>(
    `select id, selector, algorithm, state, state_since, shown, shown_since, looks, negative_ttl_seconds
     from dkim_key left join dkim_key_look on key_id = id where domain = $1 and state = any($2) order by id`,
    [domain, states],
  )
  return rows.map((row) => ({
    id: row.id,
    selector: row.selector,
    algorithm: row.algorithm,
    state: row.state,
    stateSince: row.state_since,
    shown: row.shown ?? 'unknown',
    shownSince: row.shown_since ?? undefined,
    looks: row.looks ?? 0,
    negativeTtlSeconds: row.negative_ttl_seconds ?? 0,
  }))
}
