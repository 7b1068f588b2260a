// Is DNS away as a whole, or does it only not know a name? In the one case mail waits, in the other it is recorded.
import { setTimeout as wait } from 'node:timers/promises'
import type { Resolver } from '@sekimori/dns/resolver'
import type { Dependencies } from '@sekimori/runtime/dependency'

const POLL_MS = 1_000

export interface DnsWatch extends AsyncDisposable {
  /** Whether no DNS server says anything now; then the process counts as unready until one does. */
  isAway(): Promise<boolean>
}

/**
 * Watches the DNS servers from the first silence on. Where none are configured and those of the machine have never
 * answered, there is no DNS to wait for, as on a machine without a network.
 */
export function watchDns(
  resolver: Pick<Resolver, 'isAnswering' | 'counters'>,
  dependencies: Dependencies,
  isConfigured: boolean,
): DnsWatch {
  const stopping = new AbortController()
  let watching: Promise<void> | undefined
  return {
    async isAway() {
      if (await resolver.isAnswering()) return false
      if (!isConfigured && resolver.counters.answers === 0) return false
      watching ??= untilBack(resolver, dependencies, stopping.signal).finally(() => {
        watching = undefined
      })
      return true
    },
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await watching
    },
  }
}

async function untilBack(
  resolver: Pick<Resolver, 'isAnswering'>,
  dependencies: Dependencies,
  stopping: AbortSignal,
): Promise<void> {
  dependencies.down('dns', 'no DNS server answers')
  do {
    await wait(POLL_MS, undefined, { signal: stopping }).catch(() => {}) // the loop ends by the signal itself
  } while (!stopping.aborted && !(await resolver.isAnswering()))
  dependencies.up('dns')
}
