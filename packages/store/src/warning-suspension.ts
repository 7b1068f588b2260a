// Suspensions of virus warnings (S1-26), as the deciding stages ask for them. Whoever lets a warning pass holds the lock
// shared until its commit; whoever changes a suspension takes it alone: after the change is committed nothing passes.
import { domainOf } from '@sekimori/mail/address'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { type Database, POSTGRES, type Queryable } from './database.ts'
import { storableText } from './jsonb.ts'

const LOCK = 7_262_101
const LOCK_NOT_AVAILABLE = '55P03'
const PATIENCE_MS = 15_000
/** A process that stands still with the lock in hand loses it, and its transaction, before patience ends. */
const HOLDER_IDLE_MS = 5_000

/** What suspensions look at in a warning, besides its party. `senders`: reverse-path and account of the infected mail. */
export interface WarningCause {
  signature: string | undefined
  senders: string[]
}

/** Keeps suspensions as they are until this transaction ends. Call it before looking at them. */
export async function holdSuspensions(client: Queryable): Promise<void> {
  await client.query({
    name: 'hold_suspensions',
    text: `select set_config('idle_in_transaction_session_timeout', $1, true), pg_advisory_xact_lock_shared($2)`,
    values: [String(HOLDER_IDLE_MS), LOCK],
  })
}

/**
 * Runs `change` while nobody decides about a warning. When it resolves, every later decision knows the change, and every
 * earlier one is committed. @throws DependencyAway when the deciding stages do not let go
 */
export async function changeSuspensions<T>(
  database: Database,
  change: (client: Queryable) => Promise<T>,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  return database.transaction(async (client) => {
    await client.query(`select set_config('lock_timeout', $1, true)`, [String(patienceMs)])
    await client.query('select pg_advisory_xact_lock($1)', [LOCK]).catch((error) => {
      if (error.code === LOCK_NOT_AVAILABLE) throw new DependencyAway(POSTGRES, { cause: error })
      throw error
    })
    return change(client)
  })
}

/** For each party whose warning is suspended now, the id of the suspension: the oldest, when several hold. */
export async function findSuspensions(
  client: Queryable,
  { signature, senders }: WarningCause,
  parties: string[],
): Promise<Map<string, string>> {
  const { rows } = await client.query<{ address: string; id: string }>({
    name: 'find_suspensions',
    text: `select distinct on (party.address) party.address, warning_suspension.id
           from unnest($1::text[], $2::text[]) as party(address, domain)
           join warning_suspension on ends_at is null or ends_at > clock_timestamp()
           where case scope when 'all' then true
                            when 'domain' then value = party.domain
                            when 'address' then value = party.address
                            when 'sender' then value = any($3::text[])
                            when 'signature' then value = $4 end
           order by party.address, warning_suspension.id`,
    values: [parties, parties.map(domainOf), senders.map((sender) => storableText(sender)), signature ?? null],
  })
  return new Map(rows.map((row) => [row.address, row.id]))
}
