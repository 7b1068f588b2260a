// npm start as a test runs it: started in a process of its own, watched until it is ready, stopped or killed.
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { eventually } from './eventually.ts'
import type { Endpoint } from './line-socket.ts'
import { childrenOf, isRunning, processesOf } from './process-list.ts'

export const workspace = resolve(import.meta.dirname, '..', '..', '..')

/** What $STATE_DIR/endpoints.json holds. */
export interface Endpoints {
  submission: Endpoint
  smtps: Endpoint
  mx: Endpoint
  pop3: Endpoint
  pop3s: Endpoint
  settingsApi: string
  caCertificate: string
  adminApiKey: string
  accounts: { address: string; password: string }[]
  health: Record<string, string>
  databaseUrl: string
  amqpUrl: string
  clamdAddress: string
  processes: Record<string, number[]>
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

const START_TIMEOUT_MS = 120_000
const STOP_TIMEOUT_MS = 60_000

/** Starts `npm start`'s program with these settings; it is not awaited. */
export function launch(settings: Record<string, string>, prefix: string[] = []): Launcher {
  const command = [...prefix, process.execPath, join(workspace, 'deploy', 'local', 'start.mjs')]
  // The runner's own variables would make Node programs below it report to it as tests.
  const isOurs = ([name]: [string, unknown]) => !name.startsWith('NODE_') && !name.startsWith('TEST_')
  const environment = Object.fromEntries(Object.entries(process.env).filter(isOurs))
  const child = spawn(command[0]!, command.slice(1), {
    // Should this process be killed, the system stops too.
    env: { ...environment, SEKIMORI_GUARDIAN: String(process.pid), ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Launcher(child, settings.STATE_DIR!)
}

export class Launcher {
  readonly stateDir: string
  readonly exited: Promise<Exit>
  /** What it has printed. */
  output = ''
  readonly #child: ChildProcess
  readonly #startedAt = Date.now()
  #exit: Exit | undefined
  #isStartFailure = false
  readonly #onExit = () => this.#child.kill('SIGTERM')

  constructor(child: ChildProcess, stateDir: string) {
    this.#child = child
    this.stateDir = stateDir
    for (const stream of [child.stdout!, child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.output += text
      })
    // A test run that breaks off must not leave the system running.
    process.once('exit', this.#onExit)
    this.exited = new Promise((done, fail) => {
      child.once('error', fail)
      child.once('close', (code, signal) => {
        process.off('exit', this.#onExit)
        this.#exit = { code, signal }
        done(this.#exit)
      })
    })
  }

  /** The process that supervises the services (start.mjs is its parent). */
  get supervisorPid(): number {
    const [pid] = childrenOf(this.#child.pid!)
    if (pid === undefined) throw new Error('the launcher does not run')
    return pid
  }

  /** endpoints.json as it is now; undefined while there is none, or only that of a launcher that was killed. */
  endpoints(): Endpoints | undefined {
    const path = join(this.stateDir, 'endpoints.json')
    try {
      if (statSync(path).mtimeMs < this.#startedAt) return undefined
      return JSON.parse(readFileSync(path, 'utf8')) as Endpoints
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }

  /** Waits for endpoints.json; fails at once when the launcher ends before. */
  async untilReady(): Promise<Endpoints> {
    const supervised = () => childrenOf(this.#child.pid!).length > 0
    const look = () => (this.#exit === undefined && !supervised() ? undefined : (this.#exit ?? this.endpoints()))
    const outcome = await eventually(look, { withinMs: START_TIMEOUT_MS })
    if (!('code' in outcome)) return outcome
    this.#isStartFailure = true
    throw new Error(`npm start ended (${outcome.code ?? outcome.signal}):\n${this.output}`)
  }

  /** Waits until it has printed this. */
  async untilSaid(text: RegExp): Promise<void> {
    await eventually(() => text.test(this.output) || this.#exit !== undefined, { withinMs: START_TIMEOUT_MS })
    if (!text.test(this.output)) throw new Error(`npm start ended without saying ${text}:\n${this.output}`)
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Ends it as Ctrl-C or a service manager does. Fails unless it ends well, in time, and leaves nothing running. */
  async stop(): Promise<void> {
    if (this.#exit === undefined) this.#child.kill('SIGTERM')
    await eventually(() => this.#exit !== undefined, { withinMs: STOP_TIMEOUT_MS })
    const left = processesOf(this.stateDir)
    if ((this.#exit?.code === 0 || this.#isStartFailure) && left.length === 0) return
    const { code, signal } = this.#exit!
    for (const line of left) this.#kill(Number.parseInt(line, 10))
    throw new Error(
      `npm start ended with ${code ?? signal} and left ${left.length} processes:\n${left.join('\n')}\n${this.output}`,
    )
  }

  /** SIGKILL to launcher and supervisor: nobody is left who could stop the services. */
  async killHard(): Promise<void> {
    const pid = this.supervisorPid
    process.kill(pid, 'SIGKILL')
    this.#child.kill('SIGKILL')
    await eventually(() => this.#exit !== undefined && !isRunning(pid))
  }

  #kill(pid: number): void {
    if (isRunning(pid)) process.kill(pid, 'SIGKILL')
  }
}
