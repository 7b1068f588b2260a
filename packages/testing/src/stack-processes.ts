// Trouble for the processes of a running system: killed, kept down, made to stand still.
import { AssertionError } from 'node:assert'
import { eventually } from './eventually.ts'
import type { Launcher } from './launcher.ts'
import { isRunning } from './process-list.ts'

export class StackProcesses {
  readonly #launcher: Launcher

  constructor(launcher: Launcher) {
    this.#launcher = launcher
  }

  /** Every name that endpoints.json lists: our services and the servers that they work with. */
  get names(): string[] {
    return Object.keys(this.#processes())
  }

  /** The pid that endpoints.json names now. @throws AssertionError when there is none */
  pid(name: string): number {
    const [pid] = this.#processes()[name] ?? []
    if (pid === undefined) throw new AssertionError({ message: `endpoints.json names no process for ${name}` })
    return pid
  }

  /** Ends it; resolves when endpoints.json names the process that takes its place, to the time that this took. */
  async kill(name: string, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): Promise<number> {
    const killed = this.pid(name)
    const since = performance.now()
    process.kill(killed, signal)
    await eventually(() => (this.#processes()[name] ?? [killed])[0] !== killed)
    return performance.now() - since
  }

  /** Kills it and lets nobody start it again; disposing lets the launcher go on, and waits for the new process. */
  async keepDown(name: string): Promise<AsyncDisposable> {
    const killed = this.pid(name)
    const supervisor = this.#launcher.supervisorPid
    process.kill(supervisor, 'SIGSTOP')
    process.kill(killed, 'SIGKILL')
    await eventually(() => !isRunning(killed))
    return {
      [Symbol.asyncDispose]: async () => {
        process.kill(supervisor, 'SIGCONT')
        await eventually(() => (this.#processes()[name] ?? [killed])[0] !== killed)
      },
    }
  }

  /** Makes it stand still, as a machine under too much load does; disposing lets it go on. */
  freeze(name: string): Disposable {
    const pid = this.pid(name)
    process.kill(pid, 'SIGSTOP')
    return { [Symbol.dispose]: () => process.kill(pid, 'SIGCONT') }
  }

  #processes(): Record<string, number[]> {
    const endpoints = this.#launcher.endpoints()
    if (endpoints === undefined) throw new Error('there is no endpoints.json')
    return endpoints.processes
  }
}
