// Tells settings-api, by way of Postgres, which signatures each clamd works with: on every change and once a minute.
import { hostname } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import type { Log } from '@sekimori/runtime/log'
import type { Database } from '@sekimori/store/database'
import { forgetSignatures, reportSignatures } from '@sekimori/store/signature-status'
import type { Engine } from './engine.ts'

const INTERVAL_MS = 60_000

/** This scanner among all that report. */
export const scannerName = `${hostname()}/${process.pid}`

/** Starts to report. Disposing takes back what was said: this scanner stops. */
export function startSignatureReport(
  engine: Pick<Engine, 'statuses' | 'onChange'>,
  database: Database,
  log: Log,
  { scanner, intervalMs }: { scanner: string; intervalMs: number } = { scanner: scannerName, intervalMs: INTERVAL_MS },
): AsyncDisposable {
  const closing = new AbortController()
  let change = new AbortController()
  engine.onChange(() => change.abort())
  // Mail does not depend on it: what can't be written is written the next time.
  const attempt = (work: Promise<void>) =>
    work.catch((error: Error) => log.debug({ err: error }, 'the signature report could not be written'))
  const reporting = (async () => {
    while (!closing.signal.aborted) {
      change = new AbortController()
      await attempt(reportSignatures(database, scanner, engine.statuses()))
      const signal = AbortSignal.any([closing.signal, change.signal])
      await wait(intervalMs, undefined, { signal }).catch(() => {}) // aborted: there is something to say, or no more
    }
  })()
  return {
    async [Symbol.asyncDispose]() {
      closing.abort()
      await reporting
      await attempt(forgetSignatures(database, scanner))
    },
  }
}
