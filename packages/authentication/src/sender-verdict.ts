// The plain verdict on a mail's sender, made from the results of SPF, DKIM and DMARC: as a header's value and back.
import type { Authentication, Session } from '@sekimori/mail/job'
import { parse } from 'tldts'
import type { Findings } from './findings.ts'

export const verdictKinds = [
  'own',
  'system',
  'confirmed',
  'partly',
  'unconfirmed',
  'failed',
  'unreadable',
  'unknown',
] as const
export type VerdictKind = (typeof verdictKinds)[number]

export interface SenderVerdict {
  kind: VerdictKind
  /** The Author Domain, as A-labels. */
  from?: string
  spf: string
  dkim: string
  dmarc: string
  /** `pass` when somebody whom we can check vouches for results of before (ARC). */
  arc?: string
  /** Domains that the account knows and that the sender's looks like. */
  resembles: string[]
}

const SAFE = /^[\w.-]{1,253}$/

/** The findings in short, for the job. */
export function summarize({ spf, dkim, dmarc, arc }: Findings): Authentication {
  const from = dmarc.headerFrom?.toLowerCase()
  const isFor = (domain: string | undefined) => from !== undefined && domain !== undefined && areAligned(domain, from)
  const passed = dkim.filter(({ result }) => result === 'pass')
  return {
    spf: spf?.result ?? 'none',
    dkim: passed.length > 0 ? 'pass' : (dkim[0]?.result ?? 'none'),
    dmarc: dmarc.result,
    ...(arc === undefined ? {} : { arc: arc.result }),
    ...(from !== undefined && SAFE.test(from) ? { from } : {}),
    isAligned: (spf?.result === 'pass' && isFor(spf.domain)) || passed.some(({ domain }) => isFor(domain)),
  }
}

function areAligned(one: string, other: string): boolean {
  const registrable = (domain: string) => parse(domain, { allowPrivateDomains: true }).domain ?? domain.toLowerCase()
  return registrable(one) === registrable(other)
}

/** The verdict on a mail that came in so, without a look at who gets it. */
export function verdictOf(
  authentication: Authentication,
  session: Pick<Session, 'receivedBy' | 'account'>,
): SenderVerdict {
  const { isAligned, ...results } = authentication
  return { ...results, kind: kindOf(authentication, session), resembles: [] }
}

function kindOf(results: Authentication, session: Pick<Session, 'receivedBy' | 'account'>): VerdictKind {
  if (session.account !== undefined) return 'own'
  if (session.receivedBy === 'internal') return 'system'
  if (results.from === undefined) return results.dmarc === 'temperror' ? 'unknown' : 'unreadable'
  if (results.dmarc === 'pass') return 'confirmed'
  if (results.dmarc === 'fail') return 'failed'
  if (results.dmarc === 'temperror') return 'unknown'
  if (results.isAligned) return 'partly'
  const isUnsettled = [results.spf, results.dkim].includes('temperror')
  return isUnsettled ? 'unknown' : 'unconfirmed'
}

/** As the header and the trace have it: `confirmed; from=example.org; spf=pass; dkim=pass; dmarc=pass`. */
export function formatVerdict({ kind, from, spf, dkim, dmarc, arc, resembles }: SenderVerdict): string {
  const parts = [
    kind,
    ...(from === undefined ? [] : [`from=${from}`]),
    `spf=${spf}`,
    `dkim=${dkim}`,
    `dmarc=${dmarc}`,
    ...(arc === undefined ? [] : [`arc=${arc}`]),
    ...(resembles.length === 0 ? [] : [`resembles=${resembles.join(',')}`]),
  ]
  return parts.join('; ')
}

/** Reads what `formatVerdict` wrote; undefined for anything else. */
export function parseVerdict(text: string): SenderVerdict | undefined {
  const [kind, ...parts] = text.split('; ')
  if (!(verdictKinds as readonly string[]).includes(kind ?? '')) return undefined
  const values = new Map(parts.map((part) => part.split('=', 2) as [string, string]))
  const [from, arc] = [values.get('from'), values.get('arc')]
  return {
    kind: kind as VerdictKind,
    spf: values.get('spf') ?? 'none',
    dkim: values.get('dkim') ?? 'none',
    dmarc: values.get('dmarc') ?? 'none',
    ...(from === undefined ? {} : { from }),
    ...(arc === undefined ? {} : { arc }),
    resembles: values.get('resembles')?.split(',') ?? [],
  }
}
