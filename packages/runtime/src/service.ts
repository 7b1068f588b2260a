// The life of a process: settings, log, health port, telemetry, and the wait for SIGTERM.
import type { Server } from 'node:http'
import { ConfigError, readConfig } from '@sekimori/config/config'
import type { Static, TObject } from 'typebox'
import { Dependencies } from './dependency.ts'
import { type HealthState, serveHealth } from './health.ts'
import { createLog, type Log } from './log.ts'
import { collectProcessMetrics } from './metrics.ts'
import { startTelemetry } from './telemetry.ts'

/** Exit status for unusable settings (sysexits.h EX_CONFIG). */
const EX_CONFIG = 78

interface ProcessSettings {
  BIND_ADDRESS: string
  HEALTH_PORT: number
  LOG_LEVEL: string
}

/** Reads the settings; when they are not usable, says so on standard error and ends the process. */
export function loadSettings<T extends TObject>(schema: T): Static<T> {
  try {
    return readConfig(schema)
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(EX_CONFIG)
  }
}

/** One running service. Dispose it last: it closes the health port and flushes telemetry. */
export class Service implements AsyncDisposable {
  readonly name: string
  readonly log: Log
  readonly dependencies: Dependencies
  /** Aborts when the process is told to stop. */
  readonly stopping: AbortSignal
  #state: HealthState
  #resources: AsyncDisposableStack

  constructor(name: string, log: Log, stopping: AbortSignal, state: HealthState, resources: AsyncDisposableStack) {
    this.name = name
    this.log = log
    this.stopping = stopping
    this.dependencies = state.dependencies
    this.#state = state
    this.#resources = resources
  }

  /** Says that start-up is over and waits for SIGTERM or SIGINT. */
  async untilStopped(): Promise<void> {
    this.#state.isStarted = true
    this.log.info('started')
    await new Promise<void>((resolve) => {
      if (this.stopping.aborted) resolve()
      else this.stopping.addEventListener('abort', () => resolve(), { once: true })
    })
    this.#state.isStopping = true
    this.log.info('stopping')
  }

  /** Ends the process in good order when it is told to stop while it still waits for a dependency at start. */
  async leave(): Promise<never> {
    this.log.info('stopping before the start was over')
    await this[Symbol.asyncDispose]()
    process.exit(0)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
    this.log.info('stopped')
  }
}

/** Opens log, telemetry and health port, and takes SIGTERM and SIGINT as the wish to drain and stop. */
export async function openService(name: string, settings: ProcessSettings): Promise<Service> {
  const log = createLog(name, settings.LOG_LEVEL)
  const dependencies = new Dependencies((dependency, isUp, reason) => {
    if (isUp) log.info({ dependency }, 'dependency is back')
    else log.warn({ dependency, reason }, 'dependency is away')
  })
  const state: HealthState = { dependencies, isStarted: false, isStopping: false }
  await using resources = new AsyncDisposableStack()
  resources.use(await startTelemetry(name))
  collectProcessMetrics(name)
  const server = await serveHealth(settings.BIND_ADDRESS, settings.HEALTH_PORT, state)
  resources.defer(() => closeServer(server))
  const stopping = stopSignal(resources)
  return new Service(name, log, stopping, state, resources.move())
}

function stopSignal(resources: AsyncDisposableStack): AbortSignal {
  const controller = new AbortController()
  const stop = () => controller.abort()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, stop)
    resources.defer(() => void process.off(signal, stop))
  }
  return controller.signal
}

async function closeServer(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise<void>((resolve) => server.close(() => resolve()))
}
