// What must not happen can't be waited for: it is watched for a while.
import { setTimeout as pause } from 'node:timers/promises'

const POLL_MS = 50

/** Checks again and again for so long; fails as soon as the check throws. */
export async function throughout(forMs: number, check: () => void | Promise<void>): Promise<void> {
  const deadline = Date.now() + forMs
  while (Date.now() < deadline) {
    await check()
    await pause(POLL_MS)
  }
}
