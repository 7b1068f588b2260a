// Which signatures each clamd works with, as each scanner last saw it. A report that is not renewed is forgotten.
import type { Queryable } from './database.ts'

/** Why a scanner does not use a clamd. */
export const engineFaults = [
  'untested',
  'unreachable',
  'misses-eicar',
  'misses-the-end',
  'too-old',
  'age-unknown',
  'from-future',
] as const
export type EngineFault = (typeof engineFaults)[number]

/** One clamd as one scanner sees it. */
export interface EngineStatus {
  /** Its address in CLAMD_ADDRESS. */
  endpoint: string
  /** Engine and signature version as clamd says them; absent when it never answered. */
  version?: string | undefined
  signaturesAt?: Date | undefined
  fault?: EngineFault | undefined
  /** When the scanner last tested it. */
  checkedAt?: Date | undefined
}

export type SignatureStatus = EngineStatus & { scanner: string }

/** Three renewals missed: the scanner is gone. */
const FORGOTTEN_AFTER = `interval '3 minutes 30 seconds'`

/** Renews what a scanner says of its clamds: these and no others. Forgets on the way what nobody renews. */
export async function reportSignatures(database: Queryable, scanner: string, engines: EngineStatus[]): Promise<void> {
  await database.query(
    `with report as (
       select * from jsonb_to_recordset($2::jsonb)
         as r(endpoint text, version text, "signaturesAt" timestamptz, fault text, "checkedAt" timestamptz)
     ), forgotten as (
       delete from signature_status where (scanner, endpoint) in (
         select scanner, endpoint from signature_status
         where case when scanner = $1 then endpoint not in (select endpoint from report)
           else reported_at < now() - ${FORGOTTEN_AFTER} end
         for update skip locked)
     )
     insert into signature_status (scanner, endpoint, version, signatures_at, fault, checked_at)
     select $1, endpoint, version, "signaturesAt", fault, "checkedAt" from report
     on conflict (scanner, endpoint) do update set version = excluded.version, signatures_at = excluded.signatures_at,
       fault = excluded.fault, checked_at = excluded.checked_at, reported_at = now()`,
    [scanner, JSON.stringify(engines)],
  )
}

/** Takes back all that a scanner said: it stops. */
export async function forgetSignatures(database: Queryable, scanner: string): Promise<void> {
  await database.query('delete from signature_status where scanner = $1', [scanner])
}

/** What the scanners that run now say of their clamds. */
export async function listSignatures(database: Queryable): Promise<SignatureStatus[]> {
  const { rows } = await database.query<StatusRow>(
    `select scanner, endpoint, version, signatures_at, fault, checked_at from signature_status
     where reported_at >= now() - ${FORGOTTEN_AFTER} order by endpoint, scanner`,
  )
  return rows.map(({ scanner, endpoint, version, signatures_at, fault, checked_at }) => ({
    scanner,
    endpoint,
    version: version ?? undefined,
    signaturesAt: signatures_at ?? undefined,
    fault: fault ?? undefined,
    checkedAt: checked_at ?? undefined,
  }))
}

interface StatusRow {
  scanner: string
  endpoint: string
  version: string | null
  signatures_at: Date | null
  fault: EngineFault | null
  checked_at: Date | null
}
