// Processes that check passwords one after the other, as many as checks run at the same time. (Processes and not threads, which
// share the memory map with those that carry mail.)
import type { ChildProcess } from 'node:child_process'

interface Checker {
  child: ChildProcess
  /** Ends the check that it has in hand. */
  settle: (error: unknown, isRight?: boolean) => void
}

export class CheckProcesses {
  /** One of them has answered. */
  hasAnswered = false
  readonly #start: () => ChildProcess
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
    const isRight = await promise
    this.hasAnswered = true
    hold(checker, false)
    this.#idle.push(checker)
    return isRight
  }

  /** One that fails is left out, and the next check starts another. */
  #startChecker(): Checker {
    const child = this.#start()
    const checker: Checker = { child, settle: () => {} }
    const lose = (error: unknown) => {
      const place = this.#idle.indexOf(checker)
      if (place >= 0) this.#idle.splice(place, 1)
      checker.settle(error)
    }
    child.on('message', (isRight) => checker.settle(undefined, isRight === true))
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
