// For tests only: an engine on clamds by script, at a pace that tests can wait for.
import { eventually } from '@sekimori/testing/eventually'
import { serviceStandIn } from '@sekimori/testing/test-service'
import type { Pace } from '../endpoint.ts'
import { type Engine, type EngineSettings, openEngine } from '../engine.ts'
import type { Scan } from '../verdict.ts'
import { type FakeClamd, startFakeClamd } from './fake-clamd.ts'

export const pace: Pace = {
  intervalMs: 50,
  retryMs: 10,
  answerTimeoutMs: 60_000,
  smallScanTimeoutMs: 60_000,
  largeTestIntervalMs: 0,
}

export interface EngineUnderTest extends AsyncDisposable {
  engine: Engine
  clamds: FakeClamd[]
  /** Why the stage is not ready; undefined when it is. */
  away(): string | undefined
  scan(text: string): Promise<Scan>
  untilReady(): Promise<void>
}

/** Opens an engine on so many clamds; `settings` and `paceOf` change what is usual. */
export async function openFakeEngine(
  count: number,
  settings: Partial<EngineSettings> = {},
  paceOf: Partial<Pace> = {},
): Promise<EngineUnderTest> {
  await using resources = new AsyncDisposableStack()
  const clamds: FakeClamd[] = []
  for (let index = 0; index < count; index++) clamds.push(resources.use(await startFakeClamd()))
  const service = serviceStandIn('scanner')
  const usual: EngineSettings = {
    CLAMD_ADDRESS: clamds.map(({ address }) => address).join(', '),
    MAX_MESSAGE_BYTES: 200_000,
    SCAN_CONCURRENCY: 4,
    SCAN_TIMEOUT_MS: 60_000,
    SIGNATURE_MAX_AGE: 'off',
  }
  const engine = resources.use(openEngine({ ...usual, ...settings }, service, { ...pace, ...paceOf }))
  const away = () => service.dependencies.away().clamd
  const owned = resources.move()
  return {
    engine,
    clamds,
    away,
    scan: (text) => engine.scan(() => contentOf(text)),
    untilReady: () => eventually(() => away() === undefined).then(() => {}),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

async function* contentOf(text: string): AsyncIterable<Buffer> {
  yield Buffer.from(text)
}
