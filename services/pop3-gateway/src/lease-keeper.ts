// Prolongs the locks of all sessions of this process, in one statement for all of them, and notices the lost ones.
import type { Lease } from '@sekimori/store/maildrop-lease'
import type { SessionLog } from './conversation.ts'

/** How long a lock outlives the process that held it: less than 10 s. */
export const LEASE_LIFE_MS = 9_000
const RENEWAL_INTERVAL_MS = 3_000

/** Prolongs the leases; resolves to the holders that still have theirs. */
export type Renew = (leases: Lease[]) => Promise<Set<string>>

/** The leases of one process. Dispose it after the sessions have ended. */
export class LeaseKeeper implements AsyncDisposable {
  readonly #renew: Renew
  readonly #log: SessionLog
  readonly #intervalMs: number
  readonly #held = new Map<Lease, AbortController>()
  #timer: NodeJS.Timeout
  #renewal: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(renew: Renew, log: SessionLog, intervalMs = RENEWAL_INTERVAL_MS) {
    this.#renew = renew
    this.#log = log
    this.#intervalMs = intervalMs
    this.#timer = this.#schedule(intervalMs)
  }

  /** Prolongs this lease from now on. The signal aborts when another session has taken it over. */
  keep(lease: Lease): AbortSignal {
    const lost = new AbortController()
    this.#held.set(lease, lost)
    return lost.signal
  }

  /** Prolongs it no longer. */
  letGo(lease: Lease): void {
    this.#held.delete(lease)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#renewal
  }

  #schedule(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      const start = performance.now()
      this.#renewal = this.#renewAll().then(() => {
        const spentMs = performance.now() - start
        if (!this.#isClosed) this.#timer = this.#schedule(Math.max(0, this.#intervalMs - spentMs))
      })
    }, delayMs)
  }

  async #renewAll(): Promise<void> {
    const held = [...this.#held]
    if (held.length === 0) return
    try {
      const holders = await this.#renew(held.map(([lease]) => lease))
      for (const [lease, lost] of held) {
        if (holders.has(lease.holder) || !this.#held.delete(lease)) continue
        this.#log.error({ accountId: lease.accountId }, 'the lock on a maildrop was lost')
        lost.abort()
      }
    } catch (error) {
      // Whether the locks are lost is known when the database is back; until then nothing can be removed anyway.
      this.#log.error({ err: error, leases: held.length }, 'the locks on maildrops could not be prolonged')
    }
  }
}
