// Official virus signatures: freshclam, where its servers can be reached; now and every two hours.
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { rotateLog } from './log-file.ts'
import { launch, type Program, type RunningProgram } from './program.ts'
import { forgetProcess, recordProcess } from './run-directory.ts'
import type { StatePaths } from './state-directory.ts'

const NAME = 'freshclam'
const INTERVAL_MS = 2 * 60 * 60 * 1000
/** Installations that were started together don't ask the mirrors together. */
const JITTER = 0.2
const RUN_TIMEOUT_MS = 30 * 60 * 1000

export interface FreshclamOptions {
  paths: StatePaths
  /** Hears when fetching begins to fail, with the reason, and when it works again. */
  onChange: (fault: string | undefined) => void
  command?: string
  intervalMs?: number
}

/** Fetches signatures into the directory that clamd watches, again and again. Dispose it to stop. */
export class Freshclam implements AsyncDisposable {
  #options: Required<FreshclamOptions>
  #fault: string | undefined
  #running: RunningProgram | undefined
  #closing = new AbortController()
  #fetching: Promise<void>

  constructor(options: FreshclamOptions) {
    this.#options = { command: NAME, intervalMs: INTERVAL_MS, ...options }
    this.#fetching = this.#fetchForEver()
  }

  async #fetchForEver(): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      const fault = await this.#fetch().catch((error: Error) => error.message)
      if (signal.aborted) return
      if ((fault === undefined) !== (this.#fault === undefined)) this.#options.onChange(fault)
      this.#fault = fault
      const pauseMs = this.#options.intervalMs * (1 - JITTER * Math.random())
      await wait(pauseMs, undefined, { signal, ref: false }).catch(() => {}) // stopping
    }
  }

  /** Runs freshclam once; resolves to what went wrong. */
  async #fetch(): Promise<string | undefined> {
    const { paths, command } = this.#options
    const program = await freshclamProgram(paths, command)
    rotateLog(program.logPath)
    const running = await launch(program)
    this.#running = running
    recordProcess(paths.run, NAME, running.pid)
    const limit = setTimeout(() => void running.stop(), RUN_TIMEOUT_MS)
    try {
      // It was stopped while it was being started.
      if (this.#closing.signal.aborted) await running.stop()
      const { code, signal } = await running.exited
      return code === 0 ? undefined : `it ended with ${signal ?? `status ${code}`}, see ${program.logPath}`
    } finally {
      clearTimeout(limit)
      forgetProcess(paths.run, NAME)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#running?.stop()
    await this.#fetching
  }
}

async function freshclamProgram(paths: StatePaths, command: string): Promise<Program> {
  const configPath = join(paths.clamd, 'freshclam.conf')
  await mkdir(paths.clamd, { recursive: true, mode: 0o700 })
  const settings = {
    DatabaseDirectory: paths.signatures,
    DatabaseMirror: 'database.clamav.net',
    // As root freshclam would change to this account.
    ...(process.getuid?.() === 0 ? { DatabaseOwner: 'root' } : {}),
    MaxAttempts: 1,
    ConnectTimeout: 10,
    ReceiveTimeout: 60,
  }
  const lines = Object.entries(settings).map(([name, value]) => `${name} ${value}`)
  // Whole or not at all: somebody may be reading it while it is written again.
  await writeFile(`${configPath}.new`, `${lines.join('\n')}\n`)
  await rename(`${configPath}.new`, configPath)
  return {
    name: NAME,
    command,
    args: [`--config-file=${configPath}`, '--stdout'],
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    logPath: join(paths.logs, 'freshclam.log'),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 3_000,
    startTimeoutMs: 0,
    isReady: async () => true,
  }
}
