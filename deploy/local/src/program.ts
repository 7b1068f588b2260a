// A program that the launcher runs: how it is started, when it is ready, how it is told to stop.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { openLog, tailOf } from './log-file.ts'
import { StartFailure } from './start-failure.ts'

export interface Program {
  name: string
  command: string
  args: string[]
  env: NodeJS.ProcessEnv
  cwd?: string | undefined
  /** The account to run as, when it is not the launcher's own. */
  account?: { uid: number; gid: number } | undefined
  logPath: string
  stopSignal: NodeJS.Signals
  /** After this long without an end the program is killed. */
  stopTimeoutMs: number
  startTimeoutMs: number
  isReady: () => Promise<boolean>
}

export interface Exit {
  code: number | null
  signal: NodeJS.Signals | null
}

const READY_POLL_MS = 50

/** A program that was started. It has a session of its own: Ctrl-C at the terminal reaches the launcher alone. */
export class RunningProgram implements AsyncDisposable {
  readonly program: Program
  readonly pid: number
  readonly exited: Promise<Exit>
  #exit: Exit | undefined

  constructor(program: Program, pid: number, exited: Promise<Exit>) {
    this.program = program
    this.pid = pid
    this.exited = exited.then((exit) => {
      this.#exit = exit
      return exit
    })
  }

  get exit(): Exit | undefined {
    return this.#exit
  }

  /** Asks the program to stop, and kills it with all that it started when it doesn't in time. */
  async stop(timeoutMs = this.program.stopTimeoutMs): Promise<void> {
    if (this.#exit === undefined) signalProcess(this.pid, this.program.stopSignal)
    const controller = new AbortController()
    const timer = delay(timeoutMs, 'late' as const, { signal: controller.signal }).catch(() => 'late' as const)
    const outcome = await Promise.race([this.exited, timer])
    controller.abort()
    if (outcome === 'late') signalProcess(-this.pid, 'SIGKILL')
    await this.exited
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop()
  }
}

/** Starts the program; resolves when the system has made the process, not when the program is ready. */
export async function launch(program: Program): Promise<RunningProgram> {
  const log = openLog(program.logPath)
  try {
    const child = spawn(program.command, program.args, {
      env: program.env,
      detached: true,
      stdio: ['ignore', log, log],
      ...(program.cwd === undefined ? {} : { cwd: program.cwd }),
      ...program.account,
    })
    const exited = exitOf(child)
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject))
    return new RunningProgram(program, child.pid!, exited)
  } catch (error) {
    throw new StartFailure(
      `${program.name} can't be started: ${program.command}: ${(error as Error).message}`,
      `${program.name} を起動できません: ${program.command}`,
      { cause: error },
    )
  } finally {
    closeSync(log)
  }
}

/**
 * Waits until the program is ready.
 * @throws StartFailure with the end of its log when it ends before, or isn't ready in time.
 */
export async function untilReady(running: RunningProgram): Promise<void> {
  const { program } = running
  const deadline = Date.now() + program.startTimeoutMs
  while (!(await program.isReady())) {
    if (running.exit !== undefined) throw startFault(program, `ended (${describeExit(running.exit)})`, '終了しました')
    if (Date.now() > deadline)
      throw startFault(program, `was not ready within ${program.startTimeoutMs / 1000} s`, '時間内に準備できません')
    await delay(READY_POLL_MS)
  }
}

export function describeExit(exit: Exit): string {
  return exit.signal === null ? `exit status ${exit.code}` : exit.signal
}

/** Signals a process, or with a negative pid its group; that it has just ended is no fault. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve({ code, signal })))
}

function startFault(program: Program, what: string, japanese: string): StartFailure {
  const tail = tailOf(program.logPath)
  const shown = tail === '' ? '' : `\nThe end of ${program.logPath}:\n${tail.replaceAll(/^/gm, '    ')}`
  return new StartFailure(
    `${program.name} ${what} while it started.${shown}`,
    `${program.name} は起動の途中で${japanese}。ログ: ${program.logPath}`,
  )
}
