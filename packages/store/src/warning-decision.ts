// Who of the parties of an infected mail gets a warning, decided once for each (mail, party), over all replicas:
// switched off (S1-28), suspended (S1-26), over the cap, or written.
import type { JobHeader } from '@sekimori/mail/job'
import type { Locale } from './account-admin.ts'
import type { Database, Queryable } from './database.ts'
import { storableText, toJsonb } from './jsonb.ts'
import { insertTrace, type TraceEntry, traceEntry } from './trace.ts'
import { findSuspensions, holdSuspensions, type WarningCause } from './warning-suspension.ts'

export interface WarningParty {
  address: string
  /** Gets the warning even if warnings are switched off for the account (S1-32). */
  isListMember: boolean
}

export interface InfectedMail extends WarningCause {
  job: JobHeader
  signature: string
}

export interface WarningLimits {
  perHour: number
  /** How long warnings over the cap are gathered before a summary tells of them. */
  summaryAfterMs: number
}

interface LockedAccount {
  id: string
  address: string
  locale: Locale
  virus_warning: boolean
}

type Decision = { account: LockedAccount; detail: string } & (
  | { outcome: 'written' | 'dropped' | 'capped' }
  | { outcome: 'suspended'; suspensionId: string }
)

/**
 * Decides about every party, and resolves to those who are to be written to, with their language. A repeated call gives
 * the same answer, less those whose warning has reached an end meanwhile.
 */
export async function decideWarnings(
  database: Database,
  mail: InfectedMail,
  parties: WarningParty[],
  limits: WarningLimits,
): Promise<Map<string, Locale>> {
  return database.transaction(async (client) => {
    await holdSuspensions(client)
    const accounts = await lockAccounts(client, parties)
    const earlier = await earlierOutcomes(client, mail.job.queueId)
    const members = new Set(parties.filter(({ isListMember }) => isListMember).map(({ address }) => address))
    const fresh = accounts.filter(({ address }) => !earlier.has(address))
    const decisions = await decide(client, mail, fresh, members, limits)
    await record(client, mail, decisions, limits)
    const written = new Set(decisions.filter(({ outcome }) => outcome === 'written').map(({ account }) => account))
    const toWrite = accounts.filter((account) => written.has(account) || earlier.get(account.address) === 'written')
    return new Map(toWrite.map(({ address, locale }) => [address, locale]))
  })
}

async function decide(
  client: Queryable,
  mail: InfectedMail,
  accounts: LockedAccount[],
  members: Set<string>,
  { perHour }: WarningLimits,
): Promise<Decision[]> {
  const addresses = accounts.map(({ address }) => address)
  const suspensions = await findSuspensions(client, mail, addresses)
  const sent = await sentInLastHour(client, addresses)
  return accounts.map((account) => {
    const suspensionId = suspensions.get(account.address)
    if (!account.virus_warning && !members.has(account.address))
      return { account, outcome: 'dropped', detail: 'virus warnings are switched off' }
    if (suspensionId !== undefined)
      return { account, outcome: 'suspended', suspensionId, detail: suspensionDetail(suspensionId) }
    if ((sent.get(account.address) ?? 0) >= perHour)
      return { account, outcome: 'capped', detail: `more than ${perHour} warnings in an hour` }
    return { account, outcome: 'written', detail: '' }
  })
}

/** How the trace names the suspension that kept a warning back. */
export function suspensionDetail(suspensionId: string): string {
  return `suspension ${suspensionId}`
}

/** Locks the parties' accounts, in one order for all: so decisions about the same party come one after the other. */
async function lockAccounts(client: Queryable, parties: WarningParty[]): Promise<LockedAccount[]> {
  const { rows } = await client.query<LockedAccount>({
    name: 'lock_warned_accounts',
    text: `select id, address, locale, virus_warning from account where address = any($1::text[])
           order by address for no key update`,
    values: [parties.map(({ address }) => address)],
  })
  return rows
}

async function earlierOutcomes(client: Queryable, queueId: string): Promise<Map<string, string>> {
  const { rows } = await client.query<{ party: string; outcome: string }>({
    name: 'earlier_warning_outcomes',
    text: 'select party, outcome from virus_warning where queue_id = $1',
    values: [queueId],
  })
  return new Map(rows.map(({ party, outcome }) => [party, outcome]))
}

async function sentInLastHour(client: Queryable, parties: string[]): Promise<Map<string, number>> {
  const { rows } = await client.query<{ party: string; count: string }>({
    name: 'warnings_in_last_hour',
    text: `select party, count(*) from virus_warning
           where party = any($1::text[]) and outcome in ('written', 'delivered') and signature is not null
             and decided_at > clock_timestamp() - interval '1 hour'
           group by party`,
    values: [parties],
  })
  return new Map(rows.map(({ party, count }) => [party, Number(count)]))
}

async function record(
  client: Queryable,
  { job, signature, senders }: InfectedMail,
  decisions: Decision[],
  { summaryAfterMs }: WarningLimits,
): Promise<void> {
  if (decisions.length === 0) return
  const capped = decisions.filter(({ outcome }) => outcome === 'capped').map(({ account }) => account.id)
  if (capped.length > 0) await openSummaries(client, capped, summaryAfterMs)
  const entries = decisions.map(({ account, outcome, detail }) =>
    traceEntry(job, account.address, 'warning', outcome, detail),
  )
  await insertDecisions(client, signature, senders, decisions, entries)
  await insertTrace(
    client,
    entries.filter(({ outcome }) => outcome !== 'written'),
  )
}

/** Sees to it that each account has a summary that is open. */
async function openSummaries(client: Queryable, accountIds: string[], summaryAfterMs: number): Promise<void> {
  await client.query({
    name: 'open_warning_summaries',
    text: `insert into warning_summary (account_id, due_at)
           select account_id, clock_timestamp() + $2 * interval '1 millisecond' from unnest($1::bigint[]) as account_id
           on conflict (account_id) where closed_at is null do nothing`,
    values: [accountIds, summaryAfterMs],
  })
}

async function insertDecisions(
  client: Queryable,
  signature: string,
  senders: string[],
  decisions: Decision[],
  entries: TraceEntry[],
): Promise<void> {
  await client.query({
    name: 'insert_warning_decisions',
    text: `insert into virus_warning (queue_id, party, signature, senders, outcome, suspension_id, summary_id, trace)
           select trace->>'queueId', trace->>'recipient', $1, $2, trace->>'outcome', suspension_id, warning_summary.id, trace
           from unnest($3::bigint[], $4::bigint[], $5::jsonb[]) as decision(account_id, suspension_id, trace)
           left join warning_summary on trace->>'outcome' = 'capped'
             and warning_summary.account_id = decision.account_id and closed_at is null`,
    values: [
      signature,
      senders.map((sender) => storableText(sender)),
      decisions.map(({ account }) => account.id),
      decisions.map((decision) => (decision.outcome === 'suspended' ? decision.suspensionId : null)),
      entries.map(toJsonb),
    ],
  })
}
