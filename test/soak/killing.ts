// Kills one of our services at random, again and again, while the work goes on.
import { setTimeout as wait } from 'node:timers/promises'
import type { Stack } from '@sekimori/testing/stack'
import type { Chance } from './chance.ts'

const SERVICES = [
  'submission-gateway',
  'scanner',
  'auth-verifier',
  'dkim-signer',
  'local-delivery',
  'remote-delivery',
  'notifier',
] as const
const PAUSE_MS = { least: 500, range: 3_000 }

/** Kills with SIGKILL until the signal aborts; resolves to the number of kills of each service. */
export async function killAtRandom(stack: Stack, chance: Chance, until: AbortSignal): Promise<Record<string, number>> {
  const kills: Record<string, number> = {}
  while (!until.aborted) {
    const victim = chance.pick(SERVICES)
    await stack.processes.kill(victim)
    kills[victim] = (kills[victim] ?? 0) + 1
    const pauseMs = PAUSE_MS.least + chance.below(PAUSE_MS.range)
    await wait(pauseMs, undefined, { signal: until }).catch(() => {}) // that is looked at next
  }
  return kills
}
