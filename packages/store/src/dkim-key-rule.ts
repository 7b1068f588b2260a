// The life of a DKIM key as a rule: which keys sign, and what is to become of each, from what DNS shows and from the time.
import type { DkimAlgorithm } from './dkim-key.ts'

export type KeyState = 'pending' | 'active' | 'retiring' | 'retired'
/** What all DNS servers show for a key; `unknown` until a look has settled it. */
export type KeyShown = 'unknown' | 'matches' | 'missing' | 'differs'

export interface KeyPolicy {
  /** Age of a signing key at which the next one is made; undefined: never by itself. */
  rotateAfterMs: number | undefined
  /** How long every look must have found a new key before it signs. */
  settleMs: number
  /** How long the old key stays published: longer than mail may be under way. */
  retireAfterMs: number
}

export interface LivingKey {
  id: string
  algorithm: DkimAlgorithm
  state: KeyState
  stateSince: Date
  shown: KeyShown
  shownSince: Date | undefined
  looks: number
  negativeTtlSeconds: number
}

export type KeyStep =
  | { kind: 'activate'; id: string; algorithm: DkimAlgorithm }
  | { kind: 'retire'; id: string }
  | { kind: 'create'; algorithm: DkimAlgorithm }

/** One look may have come in the middle of a change; from two in a row on, the record is not there. */
const LOOKS_THAT_COUNT = 2
/** A zone that says "remember for a week that there is nothing" does not hold a rotation up for longer than this. */
const LONGEST_NEGATIVE_TTL_SECONDS = 86_400

/**
 * Which keys sign: the active one of each algorithm, unless DNS does not show it (any more); then the one before, if
 * DNS shows that. When nothing else is left all active ones sign, because every mail is signed (S2-08).
 */
export function keysThatSign<K extends Pick<LivingKey, 'algorithm' | 'state' | 'shown' | 'looks'>>(keys: K[]): K[] {
  const active = keys.filter(({ state }) => state === 'active')
  const chosen = active.flatMap((key) => {
    if (!isHidden(key)) return [key]
    const before = keys.filter(({ state, algorithm }) => state === 'retiring' && algorithm === key.algorithm)
    return before.filter(({ shown }) => shown === 'matches').slice(-1)
  })
  return chosen.length > 0 ? chosen : active
}

function isHidden({ shown, looks }: Pick<LivingKey, 'shown' | 'looks'>): boolean {
  return (shown === 'missing' || shown === 'differs') && looks >= LOOKS_THAT_COUNT
}

/** What is to be done now with the keys of one domain. */
export function stepsNow(keys: LivingKey[], now: Date, policy: KeyPolicy): KeyStep[] {
  return (['rsa-sha256', 'ed25519-sha256'] as const).flatMap((algorithm) => {
    const same = keys.filter((key) => key.algorithm === algorithm)
    const active = same.find(({ state }) => state === 'active')
    const pending = same.find(({ state }) => state === 'pending')
    const steps: KeyStep[] = same
      .filter((key) => key.state === 'retiring' && isOver(key, active, now, policy))
      .map(({ id }) => ({ kind: 'retire', id }))
    if (pending !== undefined && isSettled(pending, now, policy))
      steps.push({ kind: 'activate', id: pending.id, algorithm })
    else if (pending === undefined && active !== undefined && isDue(active, now, policy))
      steps.push({ kind: 'create', algorithm })
    return steps
  })
}

/** The old key is kept as long as the new one is not shown, since it signs again then. */
function isOver(key: LivingKey, active: LivingKey | undefined, now: Date, { retireAfterMs }: KeyPolicy): boolean {
  return active?.shown === 'matches' && now.getTime() - key.stateSince.getTime() >= retireAfterMs
}

function isSettled({ shown, shownSince, negativeTtlSeconds }: LivingKey, now: Date, { settleMs }: KeyPolicy): boolean {
  if (shown !== 'matches' || shownSince === undefined) return false
  const negativeMs = Math.min(negativeTtlSeconds, LONGEST_NEGATIVE_TTL_SECONDS) * 1_000
  return now.getTime() - shownSince.getTime() >= Math.max(settleMs, negativeMs)
}

/** A domain whose owner has not published the first keys has no use for further ones. */
function isDue({ shown, stateSince }: LivingKey, now: Date, { rotateAfterMs }: KeyPolicy): boolean {
  return rotateAfterMs !== undefined && shown === 'matches' && now.getTime() - stateSince.getTime() >= rotateAfterMs
}
