// For tests only: the whole check of a mail with the real clamd that the test runner has started.
import { eventually } from '@sekimori/testing/eventually'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { openArchiveWalker } from '../archive/archive-walker.ts'
import type { ArchiveLimits } from '../archive/finding.ts'
import { type Engine, openEngine } from '../engine.ts'
import { thoroughEngine } from '../thorough.ts'
import type { Scan } from '../verdict.ts'

export interface RealEngine extends AsyncDisposable {
  /** clamd alone, as it answers to INSTREAM. */
  bare: Engine
  /** The whole check. */
  scan(mail: Buffer): Promise<Scan>
}

/** Opens it, ready to scan. A machine full of tests gets more time than a mail has in production. */
export async function openRealEngine(
  limits: Partial<ArchiveLimits> = {},
  address = process.env.TEST_CLAMD_ADDRESS!,
): Promise<RealEngine> {
  await using resources = new AsyncDisposableStack()
  const service = serviceStandIn('scanner')
  const settings = {
    CLAMD_ADDRESS: address,
    MAX_MESSAGE_BYTES: 1_000_000,
    SCAN_CONCURRENCY: 8,
    SCAN_TIMEOUT_MS: 120_000,
    SIGNATURE_MAX_AGE: 'off',
  }
  const bare = resources.use(openEngine(settings, service))
  const walker = resources.use(await openArchiveWalker({ threads: 2 }))
  await eventually(() => service.dependencies.away().clamd === undefined, { withinMs: 60_000 })
  const whole = thoroughEngine(bare, walker, { cpuMs: 60_000, timeMs: 120_000, ...limits })
  const owned = resources.move()
  return {
    bare,
    scan: (mail) => whole.scan(() => once(mail)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

export async function* once(bytes: Buffer): AsyncIterable<Buffer> {
  yield bytes
}
