// Remote servers that fail at random: at every step they may defer, refuse, hang up, or take a mail and not say so.
import type { Step } from '@sekimori/testing/remote-server-script'
import type { Chance } from './chance.ts'

/** Of a hundred answers at each step, so many fail. */
const FAILURES_IN_HUNDRED = 3

const FAILURES: Partial<Record<Step, string[]>> = {
  connect: ['421 4.3.2 Not now', '554 5.3.2 No mail here', 'close'],
  EHLO: ['421 4.3.2 Not now', 'close'],
  MAIL: ['451 4.3.0 Later', '421 4.7.0 Enough', 'close'],
  RCPT: ['450 4.2.1 Later', '550 5.1.1 Nobody of that name', '452 4.5.3 Too many', 'close'],
  DATA: ['451 4.3.0 Later', 'close'],
  message: ['451 4.3.0 Later', '554 5.6.0 Not wanted', 'close', 'taken, then close'],
}

/** What a server says at a step instead of what it should; mostly nothing else. */
export function randomFailure(chance: Chance): (at: Step) => string | undefined {
  return (at) => (chance.below(100) < FAILURES_IN_HUNDRED ? chance.pick(FAILURES[at] ?? ['close']) : undefined)
}
