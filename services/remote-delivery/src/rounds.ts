// Work whose results are dealt with together: those that come soon after one another in one round.
import { setTimeout as wait } from 'node:timers/promises'

/**
 * Deals with all results, in rounds: one begins with a result and takes in what else comes within `mostMs`.
 * @throws the first error of the work or of the dealing, when all has been done that could be.
 */
export async function inRounds<T>(
  works: Promise<T>[],
  mostMs: number,
  deal: (results: T[]) => Promise<void>,
): Promise<void> {
  const errors: unknown[] = []
  let arrived: T[] = []
  const pending = new Set<Promise<void>>()
  for (const work of works) {
    const arrival = work
      .then((result) => void arrived.push(result))
      .catch((error) => void errors.push(error))
      .finally(() => pending.delete(arrival))
    pending.add(arrival)
  }
  while (pending.size > 0 || arrived.length > 0) {
    await Promise.race(pending)
    await settled([...pending], mostMs)
    const round = arrived
    arrived = []
    if (round.length > 0) await deal(round).catch((error) => void errors.push(error))
  }
  if (errors.length > 0) throw errors[0]
}

/** Resolves when all have settled, after `mostMs` at the latest. */
async function settled(works: Promise<void>[], mostMs: number): Promise<void> {
  if (works.length === 0) return
  const done = new AbortController()
  const late = wait(mostMs, undefined, { signal: done.signal }).catch(() => {}) // in time
  await Promise.race([Promise.all(works), late])
  done.abort()
}
