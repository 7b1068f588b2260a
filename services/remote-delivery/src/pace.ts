// How much one destination is given: dialogues at a time and their starts per second. Halved when it says 421 or 451 or is
// not reached, raised slowly while it takes mail (additive increase, multiplicative decrease).
import type { Outcome } from './outcome.ts'

export interface PaceLimits {
  /** Dialogues at the same time at most. */
  perDestination: number
  /** Starts of dialogues in a second at most. */
  ratePerSecond: number
}

const SLOWEST_PER_SECOND = 1 / 30
/** Below the limit the rate grows by this much, once a second, while mail is taken. */
const RATE_GROWTH = 1.5
const RATE_GROWTH_MS = 1_000

export class Pace {
  readonly #limits: PaceLimits
  #dialogues: number
  #perSecond: number
  #nextStartAt = 0
  #loweredAt = Number.NEGATIVE_INFINITY
  #rateChangedAt = Number.NEGATIVE_INFINITY

  constructor(limits: PaceLimits) {
    this.#limits = limits
    this.#dialogues = limits.perDestination
    this.#perSecond = limits.ratePerSecond
  }

  /** Dialogues that it may have now. */
  get dialogues(): number {
    return Math.max(1, Math.floor(this.#dialogues))
  }

  /** How long the next start has to wait. */
  waitMs(now: number): number {
    return Math.max(0, this.#nextStartAt - now)
  }

  start(now: number): void {
    const intervalMs = 1000 / this.#perSecond
    // As many as it may have at the same time may begin at the same time.
    this.#nextStartAt = Math.max(now - (this.dialogues - 1) * intervalMs, this.#nextStartAt) + intervalMs
  }

  /** Learns from a dialogue that was begun at `startedAt`; several that were under way together count as one warning. */
  learn(outcomes: Iterable<Outcome>, startedAt: number, now: number): void {
    const all = [...outcomes]
    const isWarned = all.some((outcome) => outcome.kind !== 'sent' && isTooMuch(outcome.diagnostic, outcome.status))
    if (isWarned && startedAt > this.#loweredAt) this.#lower(now)
    else if (!isWarned && all.some(({ kind }) => kind === 'sent')) this.#raise(now)
  }

  #raise(now: number): void {
    this.#dialogues = Math.min(this.#limits.perDestination, this.#dialogues + 1 / this.#dialogues)
    if (now - this.#rateChangedAt < RATE_GROWTH_MS) return
    this.#rateChangedAt = now
    this.#perSecond = Math.min(this.#limits.ratePerSecond, this.#perSecond * RATE_GROWTH)
  }

  #lower(now: number): void {
    this.#loweredAt = now
    this.#rateChangedAt = now
    this.#dialogues = Math.max(1, this.#dialogues / 2)
    // The limit says little about a destination that never came near it: what it had of dialogues is what it had.
    this.#perSecond = Math.max(SLOWEST_PER_SECOND, Math.min(this.#perSecond, 2 * this.#limits.perDestination) / 2)
    this.#nextStartAt = now + 1000 / this.#perSecond
  }
}

/** 421 and 451 (RFC 5321 section 4.2.2); connections that are refused or not answered are another way to say so. */
function isTooMuch(diagnostic: string, status: string): boolean {
  return /^(421|451)\b/.test(diagnostic) || status === '4.4.1' || status === '4.4.2'
}
