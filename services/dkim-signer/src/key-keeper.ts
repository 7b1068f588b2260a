// Keeps the DKIM keys: looks at what DNS shows for each, and takes them from one state to the next. Every replica runs it.
import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from '@sekimori/runtime/log'
import type { TakenStep } from '@sekimori/store/dkim-key-life'
import type { KeyToLookFor, Look } from '@sekimori/store/dkim-key-look'

const KEYS_AT_ONCE = 20

export interface KeeperPorts {
  /** Takes keys that are to be looked for now, so that no other replica looks at the same time. */
  claim(now: Date, limit: number): Promise<KeyToLookFor[]>
  look(key: KeyToLookFor): Promise<Look>
  record(id: string, look: Look, now: Date): Promise<void>
  advance(domain: string, now: Date): Promise<TakenStep[]>
  now(): Date
  /** Resolves when every dependency is there, or the signal aborts. */
  whenUp(signal: AbortSignal): Promise<void>
  log: Log
}

/** Starts the loop. Disposing it ends it after the round in hand. */
export function startKeyKeeper(ports: KeeperPorts, pollMs: number): AsyncDisposable {
  const closing = new AbortController()
  const running = run(ports, pollMs, closing.signal)
  return {
    async [Symbol.asyncDispose]() {
      closing.abort()
      await running
    },
  }
}

async function run(ports: KeeperPorts, pollMs: number, closing: AbortSignal): Promise<void> {
  while (!closing.aborted) {
    await ports.whenUp(closing)
    const isMore = closing.aborted ? false : await keepKeys(ports)
    if (!isMore) await wait(pollMs, undefined, { signal: closing }).catch(() => {}) // closing ends the pause
  }
}

/** One round; tells whether there may be more to do at once. What fails is taken up again when its lease is over. */
export async function keepKeys(ports: KeeperPorts): Promise<boolean> {
  try {
    const now = ports.now()
    const keys = await ports.claim(now, KEYS_AT_ONCE)
    await Promise.all(keys.map(async (key) => ports.record(key.id, await lookAndTell(key, ports), now)))
    for (const domain of new Set(keys.map((key) => key.domain))) {
      for (const step of await ports.advance(domain, now)) ports.log.info({ domain, ...step }, 'DKIM key')
    }
    return keys.length === KEYS_AT_ONCE
  } catch (error) {
    ports.log.warn({ err: error }, 'the DKIM keys could not be looked after')
    return false
  }
}

async function lookAndTell(key: KeyToLookFor, { look, log }: KeeperPorts): Promise<Look> {
  const found = await look(key)
  const isLacking = found.shown === 'missing' || found.shown === 'differs'
  if (isLacking && key.state === 'active')
    log.warn({ dnsName: key.name, shown: found.shown }, 'DNS does not show a DKIM key that signs')
  return found
}
