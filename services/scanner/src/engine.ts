// The scan engine as the handler sees it: one or several clamds, of which a scan takes the least busy healthy one.
import { createHash } from 'node:crypto'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Service } from '@sekimori/runtime/service'
import { LRUCache } from 'lru-cache'
import pLimit from 'p-limit'
import { CLAMD, NoVerdict } from './clamd.ts'
import type { Config } from './config.ts'
import { Endpoint } from './endpoint.ts'
import type { Scan } from './verdict.ts'

export interface Engine extends AsyncDisposable {
  /** Scans content, which is opened once for each clamd that is tried. @throws DependencyAway when none gives a verdict. */
  scan(open: () => AsyncIterable<Buffer>): Promise<Scan>
  /** Engine and signature version of a healthy clamd. */
  version(): string
}

/** Clean mail between two local accounts is scanned when sent and when received; the second time it is known. */
const CACHE = { entries: 5_000, lifeMs: 30_000 }

/** Opens the engine; the stage is unready until at least one clamd passes its self-test. */
export function openEngine(config: Config, service: Service): Engine {
  const limit = pLimit(config.SCAN_CONCURRENCY)
  const endpoints: Endpoint[] = []
  const report = () => {
    const faults = endpoints.flatMap(({ name, fault }) => (fault === undefined ? [] : [`${name}: ${fault}`]))
    if (faults.length === endpoints.length) service.dependencies.down(CLAMD, faults.join('; '))
    else service.dependencies.up(CLAMD)
    if (faults.length > 0) service.log.warn({ faults }, 'clamd self-test')
  }
  service.dependencies.down(CLAMD, 'self-test has not passed yet')
  for (const address of config.CLAMD_ADDRESS.split(',')) {
    endpoints.push(
      new Endpoint({
        address: address.trim(),
        timeoutMs: config.SCAN_TIMEOUT_MS,
        maxMessageBytes: config.MAX_MESSAGE_BYTES,
        onChange: report,
      }),
    )
  }
  return {
    version: () => healthy(endpoints)[0]?.version ?? 'ClamAV',
    scan: (open) => limit(() => scanWithAny(endpoints, open)),
    async [Symbol.asyncDispose]() {
      await Promise.all(endpoints.map((endpoint) => endpoint[Symbol.asyncDispose]()))
    },
  }
}

/** Tries the healthy clamds, the least busy first. */
async function scanWithAny(endpoints: Endpoint[], open: () => AsyncIterable<Buffer>): Promise<Scan> {
  let failure: unknown = new DependencyAway(CLAMD, { cause: new Error('no clamd passes its self-test') })
  for (const endpoint of healthy(endpoints).toSorted((a, b) => a.inFlight - b.inFlight)) {
    try {
      return { verdict: await endpoint.scan(open()), engine: endpoint.version }
    } catch (error) {
      if (error instanceof NoVerdict) failure = error
      else if (error instanceof DependencyAway && error.dependency === CLAMD) failure = error
      else throw error
    }
  }
  throw failure
}

function healthy(endpoints: Endpoint[]): Endpoint[] {
  return endpoints.filter(({ fault }) => fault === undefined)
}

/**
 * Remembers clean content for a short time. Only whole-mail verdicts of the same engine and signatures count, and the
 * time is short because signature files that an operator adds by hand do not show in the version.
 */
export function rememberClean(engine: Engine): (bytes: Buffer) => Promise<Scan> {
  const known = new LRUCache<string, Scan>({ max: CACHE.entries, ttl: CACHE.lifeMs })
  return async (bytes) => {
    const key = `${createHash('sha256').update(bytes).digest('base64')} ${engine.version()}`
    const earlier = known.get(key)
    if (earlier !== undefined) return earlier
    const scan = await engine.scan(() => once(bytes))
    if (scan.verdict.kind === 'clean') known.set(key, scan)
    return scan
  }
}

async function* once(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}
