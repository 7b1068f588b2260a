// Kills one of our services at random, again and again, while the work goes on.
import { setTimeout as wait } from 'node:timers/promises'
import type { Stack } from '@sekimori/testing/stack'
import type { Chance } from './chance.ts'

/** Servers that the services work with have their own tests: here all that is ours dies. */
const SERVERS = ['postgres', 'rabbitmq', 'clamd', 'epmd']
const PAUSE_MS = { least: 500, range: 3_000 }

/** Every service of ours. */
export function servicesOf(stack: Stack): string[] {
  return stack.processes.names.filter((name) => !SERVERS.includes(name))
}

/**
 * Kills with SIGKILL until the signal aborts, each service in turn in an order of chance; resolves to the number of kills
 * of each.
 */
export async function killAtRandom(stack: Stack, chance: Chance, until: AbortSignal): Promise<Record<string, number>> {
  const kills: Record<string, number> = Object.fromEntries(servicesOf(stack).map((name) => [name, 0]))
  let waiting: string[] = []
  while (!until.aborted) {
    if (waiting.length === 0) waiting = Object.keys(kills)
    const [victim] = waiting.splice(chance.below(waiting.length), 1) as [string]
    await stack.processes.kill(victim)
    kills[victim]!++
    const pauseMs = PAUSE_MS.least + chance.below(PAUSE_MS.range)
    await wait(pauseMs, undefined, { signal: until }).catch(() => {}) // that is looked at next
  }
  return kills
}
