// Official virus signatures: freshclam, where its servers can be reached; now and every few hours.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { launch, type Program, type RunningProgram } from './program.ts'
import { forgetProcess, recordProcess } from './run-directory.ts'
import type { StatePaths } from './state-directory.ts'

const NAME = 'freshclam'
const INTERVAL_MS = 4 * 60 * 60 * 1000
const RUN_TIMEOUT_MS = 30 * 60 * 1000

/** Fetches signatures into the directory that clamd watches. Dispose it to stop. */
export class Freshclam implements AsyncDisposable {
  #paths: StatePaths
  #onFailure: (status: number | null) => void
  #running: RunningProgram | undefined
  #timer: NodeJS.Timeout | undefined
  #isClosed = false

  constructor(paths: StatePaths, onFailure: (status: number | null) => void) {
    this.#paths = paths
    this.#onFailure = onFailure
  }

  /** Fetches once and plans the next time; resolves when this time is over. */
  async update(): Promise<void> {
    const running = await launch(await freshclamProgram(this.#paths))
    this.#running = running
    recordProcess(this.#paths.run, NAME, running.pid)
    const limit = setTimeout(() => void running.stop(), RUN_TIMEOUT_MS)
    const { code } = await running.exited
    clearTimeout(limit)
    forgetProcess(this.#paths.run, NAME)
    if (this.#isClosed) return
    if (code !== 0) this.#onFailure(code)
    this.#timer = setTimeout(() => void this.update().catch(() => this.#onFailure(null)), INTERVAL_MS)
    this.#timer.unref()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#running?.stop()
  }
}

async function freshclamProgram(paths: StatePaths): Promise<Program> {
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
  await writeFile(configPath, `${lines.join('\n')}\n`)
  return {
    name: NAME,
    command: 'freshclam',
    args: [`--config-file=${configPath}`, '--stdout'],
    env: { ...process.env, LC_ALL: 'C.UTF-8' },
    logPath: join(paths.logs, 'freshclam.log'),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 3_000,
    startTimeoutMs: 0,
    isReady: async () => true,
  }
}
