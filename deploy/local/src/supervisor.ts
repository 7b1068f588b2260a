// Keeps programs running: starts them, starts them again when they end, stops them in order.
import { setTimeout as delay } from 'node:timers/promises'
import { boundLog, rotateLog } from './log-file.ts'
import { describeExit, launch, type Program, type RunningProgram, signalProcess, untilReady } from './program.ts'
import { forgetProcess, recordProcess } from './run-directory.ts'
import { StartFailure } from './start-failure.ts'

export interface SupervisorEvents {
  /** A program runs under a new pid. */
  onStarted: (name: string, pid: number) => void
  /** A program ended though nobody asked it to. */
  onEnded: (name: string, how: string, restartInMs: number) => void
}

/** A program that lived shorter than this ended "quickly". */
const SHORT_LIFE_MS = 10_000
/** So many quick ends in a row are answered with an immediate restart. */
const FREE_RESTARTS = 3
const FIRST_BACKOFF_MS = 1_000
const LONGEST_BACKOFF_MS = 30_000
const LOG_CHECK_MS = 30_000

/** Runs programs until it is told to stop. */
export class Supervisor {
  #runDirectory: string
  #events: SupervisorEvents
  #running = new Map<string, RunningProgram>()
  #stopping = new AbortController()
  #launching = new Set<Promise<RunningProgram>>()
  #logTimer: NodeJS.Timeout

  constructor(runDirectory: string, events: SupervisorEvents) {
    this.#runDirectory = runDirectory
    this.#events = events
    this.#logTimer = setInterval(() => this.#boundLogs(), LOG_CHECK_MS)
  }

  /** The pids of the programs that run now, by name. */
  get pids(): Map<string, number> {
    return new Map([...this.#running].map(([name, running]) => [name, running.pid]))
  }

  /**
   * Starts a program and waits until it is ready; from then on it is kept running.
   * @throws StartFailure when it ends or hangs before it was ready for the first time.
   */
  async start(program: Program): Promise<void> {
    rotateLog(program.logPath)
    const running = await this.#launch(program)
    await untilReady(running)
    void this.#watch(running)
  }

  /** Stops the named programs together; what is not running is left out. From then on nothing is started. */
  async stop(names: string[]): Promise<void> {
    this.#stopping.abort()
    clearInterval(this.#logTimer)
    await Promise.allSettled(this.#launching)
    await Promise.all(
      names.map(async (name) => {
        const running = this.#running.get(name)
        if (running === undefined) return
        await running.stop()
        this.#forget(running)
      }),
    )
  }

  /** Kills everything at once, for somebody who does not want to wait. */
  killAll(): void {
    for (const { pid } of this.#running.values()) signalProcess(-pid, 'SIGKILL')
  }

  async #launch(program: Program): Promise<RunningProgram> {
    if (this.#stopping.signal.aborted) throw new StartFailure('The start was interrupted.', '起動は中断されました。')
    const launching = launch(program)
    this.#launching.add(launching)
    try {
      const running = await launching
      recordProcess(this.#runDirectory, program.name, running.pid)
      this.#running.set(program.name, running)
      this.#events.onStarted(program.name, running.pid)
      return running
    } finally {
      this.#launching.delete(launching)
    }
  }

  async #watch(first: RunningProgram): Promise<void> {
    let running: RunningProgram | undefined = first
    let quickEnds = 0
    while (running !== undefined) {
      const startedAt = Date.now()
      const exit = await running.exited
      if (this.#stopping.signal.aborted) return
      quickEnds = Date.now() - startedAt < SHORT_LIFE_MS ? quickEnds + 1 : 0
      this.#forget(running)
      const restartInMs = backoffMs(quickEnds)
      this.#events.onEnded(running.program.name, describeExit(exit), restartInMs)
      running = await this.#relaunch(running.program, restartInMs)
    }
  }

  /** Tries until the system lets the program start, or until the end of all. */
  async #relaunch(program: Program, restartInMs: number): Promise<RunningProgram | undefined> {
    let waitMs = restartInMs
    while (!this.#stopping.signal.aborted) {
      try {
        await delay(waitMs, undefined, { signal: this.#stopping.signal })
        return await this.#launch(program)
      } catch (error) {
        if (this.#stopping.signal.aborted) return undefined
        waitMs = LONGEST_BACKOFF_MS
        this.#events.onEnded(program.name, (error as Error).message, waitMs)
      }
    }
    return undefined
  }

  #forget(running: RunningProgram): void {
    const { name } = running.program
    if (this.#running.get(name) !== running) return
    this.#running.delete(name)
    forgetProcess(this.#runDirectory, name)
  }

  #boundLogs(): void {
    for (const { program } of this.#running.values()) boundLog(program.logPath)
  }
}

/** How long to wait before the next start after so many quick ends in a row. */
export function backoffMs(quickEnds: number): number {
  if (quickEnds <= FREE_RESTARTS) return 0
  return Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** (quickEnds - FREE_RESTARTS - 1))
}
