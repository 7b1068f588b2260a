// What one mail may cost to verify: a stranger chooses how many signatures it bears, and whose name servers they point at.
import type { DnsError } from '@sekimori/dns/dns-error'
import type { Resolve } from '@sekimori/dns/resolver'
import type { HeaderField } from '@sekimori/mail/header'

/** Each signature costs a lookup, and with its own l= a hash of the whole body (RFC 6376 section 6.1 allows a limit). */
const MOST_SIGNATURES = 20
const MOST_LOOKUPS = 200
const LOOKUP_TIME_MS = 30_000

/** Flat start, end offsets of the signatures that are not looked at: those below the first twenty. */
export function surplusSignatures(fields: HeaderField[]): number[] {
  return fields
    .filter(({ name }) => name === 'dkim-signature')
    .slice(MOST_SIGNATURES)
    .flatMap(({ start, end }) => [start, end])
}

export interface Budget {
  /** When the mail's time or its number of lookups is used up, the rest fails at once (temperror). */
  resolver: Resolve
  /** Whether some lookup had no answer at all. */
  hasMetSilence: () => boolean
}

const SILENCE = new Set<string>(['ETIMEOUT', 'ECONNREFUSED'])

/** The lookups of one mail. */
export function withinBudget(resolve: Resolve, now: () => number = () => performance.now()): Budget {
  const startedAt = now()
  let lookups = 0
  let metSilence = false
  const limited = async (name: string, type: string) => {
    if (++lookups > MOST_LOOKUPS || now() - startedAt > LOOKUP_TIME_MS)
      throw Object.assign(new Error(`no more lookups for this mail: ${type} ${name}`), { code: 'ETIMEOUT' })
    try {
      return await resolve(name, type)
    } catch (error) {
      metSilence ||= SILENCE.has((error as DnsError).code)
      throw error
    }
  }
  return { resolver: limited as Resolve, hasMetSilence: () => metSilence }
}
