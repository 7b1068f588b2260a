// The scan engine as the handler sees it: one or several clamds, of which a scan takes the least busy healthy one.
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Service } from '@sekimori/runtime/service'
import type { EngineStatus } from '@sekimori/store/signature-status'
import pLimit from 'p-limit'
import { CLAMD, ClamdFault, NoVerdict } from './clamd.ts'
import type { Config } from './config.ts'
import { Endpoint, type Pace } from './endpoint.ts'
import { observeEndpoint } from './signature-metrics.ts'
import { readMaxAge } from './signature-version.ts'
import type { Scan } from './verdict.ts'

export type EngineSettings = Pick<
  Config,
  'CLAMD_ADDRESS' | 'MAX_MESSAGE_BYTES' | 'SCAN_CONCURRENCY' | 'SCAN_TIMEOUT_MS' | 'SIGNATURE_MAX_AGE'
>

export interface Engine extends AsyncDisposable {
  /**
   * Scans content, which is opened once for each clamd that is tried; with `version`, by a clamd of just that one.
   * Nothing is remembered of earlier scans: clamd itself does, and forgets it at the moment in which it takes up other
   * signatures.
   * @throws DependencyAway when no clamd is fit to give a verdict; NoVerdict when the mail itself is what they fail at
   */
  scan(open: () => AsyncIterable<Buffer>, version?: string): Promise<Scan>
  /** Whether scans wait, or take most of the places: then what is not urgent had better wait. */
  isBusy(): boolean
  /** Engine and signature version of a healthy clamd. */
  version(): string
  /** Each clamd as it was last seen. */
  statuses(): EngineStatus[]
  /** Calls `listener` when a clamd has become fit or unfit, or works with other signatures. */
  onChange(listener: () => void): void
}

/** Opens the engine; the stage is unready until at least one clamd passes its self-test. */
export function openEngine(settings: EngineSettings, service: Service, pace?: Pace): Engine {
  const limit = pLimit(settings.SCAN_CONCURRENCY)
  const listeners: (() => void)[] = []
  const hear = (endpoint: Endpoint | undefined, isChange: boolean) => {
    if (endpoint !== undefined) observeEndpoint(endpoint.status)
    if (!isChange) return
    report(endpoints, service)
    for (const listener of listeners) listener()
  }
  service.dependencies.down(CLAMD, 'self-test has not passed yet')
  const endpoints: Endpoint[] = addressesOf(settings).map((address, index) => {
    const onTested = (isChange: boolean) => hear(endpoints[index], isChange)
    return new Endpoint({ address, ...limitsOf(settings), ...(pace && { pace }), onTested })
  })
  return {
    async scan(open, version) {
      const fit = () =>
        endpoints.filter((e) => e.fault === undefined && (version === undefined || e.version === version))
      const outcome = await limit(() => scanWithAny(fit(), open))
      return 'verdict' in outcome ? outcome : blame(outcome)
    },
    isBusy: () => limit.pendingCount > 0 || limit.activeCount > settings.SCAN_CONCURRENCY / 2,
    version: () => endpoints.find(({ fault }) => fault === undefined)?.version ?? 'ClamAV',
    statuses: () => endpoints.map(({ status }) => status),
    onChange: (listener) => void listeners.push(listener),
    async [Symbol.asyncDispose]() {
      await Promise.all(endpoints.map((endpoint) => endpoint[Symbol.asyncDispose]()))
    },
  }
}

function addressesOf(settings: EngineSettings): string[] {
  return [...new Set(settings.CLAMD_ADDRESS.split(',').map((address) => address.trim()))]
}

function limitsOf(settings: EngineSettings) {
  return {
    scanTimeoutMs: settings.SCAN_TIMEOUT_MS,
    maxMessageBytes: settings.MAX_MESSAGE_BYTES,
    signatureMaxAgeMs: readMaxAge(settings.SIGNATURE_MAX_AGE)!,
  }
}

function report(endpoints: Endpoint[], service: Service): void {
  const faults = endpoints.flatMap(({ name, fault }) => (fault === undefined ? [] : [`${name}: ${fault.message}`]))
  if (faults.length === endpoints.length) service.dependencies.down(CLAMD, faults.join('; '))
  else service.dependencies.up(CLAMD)
  if (faults.length > 0) service.log.warn({ faults }, 'clamd self-test')
  else service.log.info({ engines: endpoints.map(({ name, version }) => `${name}: ${version}`) }, 'clamd self-test')
}

interface Failure {
  endpoint: Endpoint
  error: ClamdFault
}

/** Tries these healthy clamds, the least busy first. Resolves to what went wrong with each when none gives a verdict. */
async function scanWithAny(healthy: Endpoint[], open: () => AsyncIterable<Buffer>): Promise<Scan | Failure[]> {
  const failures: Failure[] = []
  for (const endpoint of healthy.toSorted((a, b) => a.inFlight - b.inFlight)) {
    try {
      return { verdict: await endpoint.scan(open()), engine: endpoint.version }
    } catch (error) {
      if (!(error instanceof ClamdFault)) throw error
      failures.push({ endpoint, error })
      void endpoint.suspect()
    }
  }
  return failures
}

/** Whose fault it is that there is no verdict. */
async function blame(failures: Failure[]): Promise<never> {
  await Promise.all(failures.map(({ endpoint }) => endpoint.suspect()))
  const unfit = failures.every(({ endpoint }) => endpoint.fault !== undefined)
  const reasons = failures.map(({ endpoint, error }) => `${endpoint.name}: ${error.message}`).join('; ')
  if (failures.length === 0) throw new DependencyAway(CLAMD, { cause: new Error('no clamd passes its self-test') })
  if (unfit) throw new DependencyAway(CLAMD, { cause: new Error(reasons) })
  throw new NoVerdict(`clamd gives no verdict on this mail: ${reasons}`)
}
