// Waiting for what must become true: asked again until a deadline, never a fixed sleep.
import { setTimeout as pause } from 'node:timers/promises'

const EVERY_MS = 10

export interface EventuallyOptions {
  withinMs?: number
  /** The pause before it is asked again: longer where asking costs the system that is waited for its time. */
  everyMs?: number
  /** What is waited for, for the message of a failure. */
  what?: string
}

/**
 * Resolves to what `probe` answers as soon as that is something (neither false, null nor undefined). A probe that throws
 * is asked again. @throws Error at the deadline, caused by what the last probe threw
 */
export async function eventually<T>(
  probe: () => T | Promise<T>,
  { withinMs = 60_000, everyMs = EVERY_MS, what = 'what the test waits for' }: EventuallyOptions = {},
): Promise<Exclude<T, false | null | undefined>> {
  const deadline = Date.now() + withinMs
  for (;;) {
    let cause: unknown
    try {
      const answer = await probe()
      if (answer !== false && answer !== null && answer !== undefined)
        return answer as Exclude<T, false | null | undefined>
    } catch (error) {
      cause = error
    }
    if (Date.now() > deadline) throw new Error(`not within ${withinMs} ms: ${what}`, { cause })
    await pause(everyMs)
  }
}
