// Work whose result only this process knows, such as "the server said 250", must not be given up for a passing trouble.
import { setTimeout as wait } from 'node:timers/promises'
import { type Dependencies, DependencyAway } from '@sekimori/runtime/dependency'

const TRIES_MOST = 5
const PAUSE_MS = 200

/**
 * Does the work until it succeeds: for as long as a dependency is away, and a few times when it fails otherwise.
 * When `signal` aborts, the next failure is final.
 */
export async function insist<T>(work: () => Promise<T>, dependencies: Dependencies, signal: AbortSignal): Promise<T> {
  for (let tries = 1; ; ) {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof DependencyAway)) tries++
      if (tries > TRIES_MOST || signal.aborted) throw error
    }
    await wait(PAUSE_MS)
    await dependencies.whenUp(signal)
  }
}
