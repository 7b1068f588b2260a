// Background work that one process at a time may do, over all replicas: a lease that a crash lets expire.
import { setTimeout as wait } from 'node:timers/promises'
import type { Database, Queryable } from './database.ts'

/** One process's claim on a piece of work; no other process ever has the same `holder`. */
export interface Lead {
  work: string
  holder: string
  lifeMs: number
}

/** Another process has taken the work over: nothing of what was being written is committed. */
export class LeadLost extends Error {
  override name = 'LeadLost'
}

const RENEWALS_PER_LIFE = 3

/**
 * Does the task when no other process has the work; resolves to false when one has. The signal aborts when the lead is
 * lost or `stopping` does.
 */
export async function whileLeading(
  database: Database,
  lead: Lead,
  stopping: AbortSignal,
  task: (signal: AbortSignal) => Promise<void>,
): Promise<boolean> {
  if (!(await takeLead(database, lead))) return false
  const [over, lost] = [new AbortController(), new AbortController()]
  const renewing = renewUntil(database, lead, over.signal, lost)
  try {
    await task(AbortSignal.any([stopping, lost.signal]))
  } finally {
    over.abort()
    await renewing
  }
  await resign(database, lead)
  return true
}

async function renewUntil(database: Database, lead: Lead, over: AbortSignal, lost: AbortController): Promise<void> {
  let expiresAt = Date.now() + lead.lifeMs
  while (!over.aborted && !lost.signal.aborted) {
    await wait(lead.lifeMs / RENEWALS_PER_LIFE, undefined, { signal: over }).catch(() => {}) // the task is over
    if (over.aborted) return
    const askedAt = Date.now()
    // While Postgres does not answer the lead may run out; whoever has it then is the only one who can write.
    const isHeld = await takeLead(database, lead).catch(() => askedAt < expiresAt)
    if (isHeld) expiresAt = askedAt + lead.lifeMs
    else lost.abort()
  }
}

/** Takes or prolongs the lead. Resolves to false when another process has it. */
export async function takeLead(database: Queryable, { work, holder, lifeMs }: Lead): Promise<boolean> {
  const { rowCount } = await database.query({
    name: 'take_lead',
    text: `insert into leadership (work, holder, expires_at) values ($1, $2, now() + $3 * interval '1 millisecond')
           on conflict (work) do update set holder = excluded.holder, expires_at = excluded.expires_at
           where leadership.holder = excluded.holder or leadership.expires_at < now()`,
    values: [work, holder, lifeMs],
  })
  return rowCount === 1
}

/** Gives the lead up, if it is still this process's. */
export async function resign(database: Queryable, { work, holder }: Lead): Promise<void> {
  await database.query('delete from leadership where work = $1 and holder = $2', [work, holder])
}

/** Inside a transaction: nobody else takes the lead until it ends. @throws LeadLost when somebody has taken it */
export async function lockLead(client: Queryable, { work, holder }: Lead): Promise<void> {
  const { rowCount } = await client.query({
    name: 'lock_lead',
    text: 'select 1 from leadership where work = $1 and holder = $2 for update',
    values: [work, holder],
  })
  if (rowCount !== 1) throw new LeadLost(`another process does the work "${work}" now`)
}
