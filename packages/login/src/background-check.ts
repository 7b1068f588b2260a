// argon2 for whoever may be guessing: when the processors have nothing else to do (sched(7): SCHED_IDLE), so that a flood of logins
// gets what mail leaves over. On a machine that is never idle a check would take minutes; then it is done at a low priority.
import { type ChildProcess, fork, spawn } from 'node:child_process'
import { setPriority } from 'node:os'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { CheckProcesses } from './check-processes.ts'
import { MailFirst, type Pausable } from './mail-first.ts'

const PROGRAM = fileURLToPath(new URL('./background-process.ts', import.meta.url))
/** A tenth of the weight of an ordinary process: a login from a new place still comes to its end on a busy machine. */
const PRIORITY = 10
/** A check takes 30 ms. */
const PATIENCE_MS = 1_000

/** Checks passwords in the background. The caller bounds how many run at once. */
export class BackgroundCheck implements Pausable {
  readonly #idle: CheckProcesses
  readonly #low = new CheckProcesses(startLow)
  readonly #patienceMs: number
  /** Checks that wait for the machine to be idle for longer than they may. */
  #overdue = 0
  #hasIdle = true

  constructor(startAtIdle = startIdle, patienceMs = PATIENCE_MS) {
    this.#idle = new CheckProcesses(startAtIdle)
    this.#patienceMs = patienceMs
  }

  /** Whether the password belongs to the hash. @throws when that can't be told */
  async isPassword(encoded: string, password: string): Promise<boolean> {
    const isRight = this.#hasIdle && this.#overdue === 0 ? await this.#whenIdle(encoded, password) : undefined
    if (isRight !== undefined) return isRight
    const answer = await this.#low.check(encoded, password)
    // Such processes can't be had here (no setpriv or chrt, or they are not allowed), while others can.
    if (this.#overdue === 0 && !this.#idle.hasAnswered) this.#hasIdle = false
    return answer
  }

  /** Holds the checks in idle time back; those at low priority are overdue already. */
  pause(): void {
    this.#idle.pause()
  }

  resume(): void {
    this.#idle.resume()
  }

  /** Undefined when there is no answer, or none in time. */
  async #whenIdle(encoded: string, password: string): Promise<boolean | undefined> {
    const check = this.#idle.check(encoded, password).catch(() => undefined)
    const patience = new AbortController()
    const late = wait(this.#patienceMs, 'late' as const, { signal: patience.signal }).catch(() => undefined)
    const first = await Promise.race([check, late])
    patience.abort()
    if (first !== 'late') return first
    this.#overdue += 1
    void check.finally(() => {
      this.#overdue -= 1
    })
    return undefined
  }
}

const background = new BackgroundCheck()
const precedence = new MailFirst(background)

/** Whether the password belongs to the hash; as `isPassword`, in the background. The caller bounds how many run at once. */
export function isPasswordInBackground(encoded: string, password: string): Promise<boolean> {
  return background.isPassword(encoded, password)
}

/** Does `work` for somebody who has logged in, ahead of the checks in the background. */
export function mailFirst<T>(work: () => Promise<T>): Promise<T> {
  return precedence.during(work)
}

/** setpriv and chrt (util-linux) set what is theirs and become the program. One that stands still must not outlive its parent. */
function startIdle(): ChildProcess {
  return spawn('setpriv', ['--pdeathsig', 'KILL', 'chrt', '--idle', '0', process.execPath, PROGRAM], {
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
}

function startLow(): ChildProcess {
  const child = fork(PROGRAM, { env: {}, execArgv: [], stdio: 'ignore' })
  if (child.pid !== undefined) setPriority(child.pid, PRIORITY)
  return child
}
