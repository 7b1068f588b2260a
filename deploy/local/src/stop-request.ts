// The wish to stop: Ctrl-C, SIGTERM, a closed terminal, or the death of the process that a person knows as npm start.

import { watchGuardians } from './guardians.ts'
import type { ProcessIdentity } from './process-identity.ts'

/** A second Ctrl-C counts as impatience only after this long: npm passes on the first one a second time. */
const SAME_WISH_MS = 2_000

export interface StopRequest extends Disposable {
  stopping: AbortSignal
  /** Aborts at the second request. */
  urgent: AbortSignal
  /** Resolves when the first request comes. */
  requested: Promise<void>
}

export function awaitStopRequest(guardians: ProcessIdentity[]): StopRequest {
  const stopping = new AbortController()
  const urgent = new AbortController()
  let firstAt = 0
  const stop = () => {
    if (!stopping.signal.aborted) firstAt = Date.now()
    else if (Date.now() - firstAt > SAME_WISH_MS) urgent.abort()
    stopping.abort()
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const signal of signals) process.on(signal, stop)
  const watch = watchGuardians(guardians, stop)
  return {
    stopping: stopping.signal,
    urgent: urgent.signal,
    requested: new Promise((resolve) => stopping.signal.addEventListener('abort', () => resolve())),
    [Symbol.dispose]() {
      watch[Symbol.dispose]()
      for (const signal of signals) process.off(signal, stop)
    },
  }
}
