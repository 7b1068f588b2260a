// What clamd says of its signatures (VERSION, clamd(8)), and whether they are too old to be trusted.
import { parseDuration } from '@sekimori/config/duration'
import type { EngineFault } from '@sekimori/store/signature-status'

export interface EngineVersion {
  /** As clamd says it, such as "ClamAV 1.4.6/27500/Mon Nov 16 08:00:00 2026"; without official signatures "ClamAV 1.4.6". */
  text: string
  /** When the official signatures were made; undefined when clamd has none, or does not say it in a way that we know. */
  signaturesAt: Date | undefined
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']
const VERSION =
  /^ClamAV [^/]+\/\d+\/(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) ([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d) (\d{4})$/
const DAY_MS = 24 * 60 * 60 * 1000
/** clamd prints the time of its own zone (up to 14 h ahead of UTC) and does not name it; clocks differ a little besides. */
const AHEAD_MAX_MS = DAY_MS

/** Reads the answer to VERSION; undefined when it is none. The time is taken as UTC, which clamd is to run in. */
export function readVersion(text: string): EngineVersion | undefined {
  if (!/^ClamAV [!-~][ -~]*$/.test(text)) return undefined
  return { text, signaturesAt: readTime(text) }
}

function readTime(text: string): Date | undefined {
  const [, month, ...numbers] = VERSION.exec(text) ?? []
  if (month === undefined) return undefined
  const [day, hour, minute, second, year] = numbers.map(Number) as [number, number, number, number, number]
  const time = new Date(Date.UTC(year, MONTHS.indexOf(month), day, hour, minute, second))
  // A day that does not exist would be taken for another one.
  const isReal = MONTHS[time.getUTCMonth()] === month && time.getUTCDate() === day && time.getUTCHours() === hour
  return isReal ? time : undefined
}

/** SIGNATURE_MAX_AGE in milliseconds, infinite for "off"; undefined when the text is no duration. */
export function readMaxAge(text: string): number | undefined {
  return text === 'off' ? Number.POSITIVE_INFINITY : parseDuration(text)
}

/** Why signatures of this time are not to be relied on. What can't be told counts as too old; "off" asks for nothing. */
export function ageFault(
  signaturesAt: Date | undefined,
  maxAgeMs: number,
  nowMs: number,
): { kind: EngineFault; message: string } | undefined {
  if (maxAgeMs === Number.POSITIVE_INFINITY) return undefined
  if (signaturesAt === undefined) {
    const message = 'clamd does not say how old its signatures are (SIGNATURE_MAX_AGE): has it official ones?'
    return { kind: 'age-unknown', message }
  }
  const ageMs = nowMs - signaturesAt.getTime()
  const made = `the signatures of clamd are of ${signaturesAt.toISOString()}`
  if (ageMs < -AHEAD_MAX_MS)
    return { kind: 'from-future', message: `${made}, which is in the future: a clock is wrong` }
  if (ageMs > maxAgeMs)
    return { kind: 'too-old', message: `${made}, older than SIGNATURE_MAX_AGE: does freshclam run?` }
  return undefined
}
