// When the next delivered mail may be scanned again: at most so many in a second, and never in the way of fresh mail.
import { setTimeout as wait } from 'node:timers/promises'

const BUSY_PAUSE_MS = 100
/** Timers are late; so much is made up for. What was not used in busy times is not. */
const LATE_MS = 100

/** A wait for the next turn; the first one comes at once. */
export function openPace(perSecond: number, isBusy: () => boolean): (signal: AbortSignal) => Promise<void> {
  let nextAt = 0
  return async (signal) => {
    await pause(nextAt - performance.now(), signal)
    while (isBusy() && !signal.aborted) await pause(BUSY_PAUSE_MS, signal)
    nextAt = Math.max(nextAt, performance.now() - LATE_MS) + 1_000 / perSecond
  }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await wait(ms, undefined, { signal }).catch(() => {}) // aborted: the caller looks at the signal
}
