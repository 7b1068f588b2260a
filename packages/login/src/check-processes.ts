// Processes that check passwords one after the other, as many as checks run at the same time. (Processes and not threads, which
// share the memory map with those that carry mail.)
import type { ChildProcess } from 'node:child_process'
import type { Pausable } from './mail-first.ts'

interface Checker {
  child: ChildProcess
  /** It runs its program: before, it may not stand still, as it would not end with this process then. */
  isReady: boolean
  /** Ends the check that it has in hand. */
  settle: (error: unknown, isRight?: boolean) => void
}

export class CheckProcesses implements Pausable {
  /** One of them has answered. */
  hasAnswered = false
  readonly #start: () => ChildProcess
  readonly #busy = new Set<Checker>()
  readonly #stopped = new Set<Checker>()
  #isPaused = false
  /** Processes without a check; never more than checks have run at the same time. */
  readonly #idle: Checker[] = []

  constructor(start: () => ChildProcess) {
    this.#start = start
  }

  /** Whether the password belongs to the hash. @throws when the process ends over it */
  async check(encoded: string, password: string): Promise<boolean> {
    const checker = this.#idle.pop() ?? this.#startChecker()
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    checker.settle = (error, isRight) => (error === undefined ? resolve(isRight === true) : reject(error))
    hold(checker, true)
    checker.child.send({ encoded, password }, (error) => error && checker.settle(error))
    this.#busy.add(checker)
    if (this.#isPaused) this.#stop(checker)
    const isRight = await promise.finally(() => this.#busy.delete(checker))
    this.hasAnswered = true
    hold(checker, false)
    this.#idle.push(checker)
    return isRight
  }

  /** The checks in hand stand still, and those that come. */
  pause(): void {
    this.#isPaused = true
    for (const checker of this.#busy) this.#stop(checker)
  }

  resume(): void {
    this.#isPaused = false
    for (const { child } of this.#stopped) child.kill('SIGCONT')
    this.#stopped.clear()
  }

  #welcome(checker: Checker): void {
    checker.isReady = true
    if (this.#isPaused && this.#busy.has(checker)) this.#stop(checker)
  }

  #stop(checker: Checker): void {
    if (!checker.isReady) return
    this.#stopped.add(checker)
    checker.child.kill('SIGSTOP')
  }

  /** One that fails is left out, and the next check starts another. */
  #startChecker(): Checker {
    const child = this.#start()
    const checker: Checker = { child, isReady: false, settle: () => {} }
    const lose = (error: unknown) => {
      const place = this.#idle.indexOf(checker)
      if (place >= 0) this.#idle.splice(place, 1)
      this.#stopped.delete(checker)
      checker.settle(error)
    }
    child.on('message', (message) => {
      if (message === 'ready') this.#welcome(checker)
      else checker.settle(undefined, message === true)
    })
    child.on('error', lose)
    child.on('exit', () => lose(new Error('the process of a password check has ended')))
    return checker
  }
}

/** This process may end while its checkers have nothing to do. */
function hold({ child }: Checker, isBusy: boolean): void {
  if (isBusy) {
    child.ref()
    child.channel?.ref()
  } else {
    child.unref()
    child.channel?.unref()
  }
}
