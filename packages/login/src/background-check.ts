// argon2 for whoever may be guessing: in processes of low priority, so that a flood of logins gets the processor time that
// mail leaves over. Processes and not threads, which share the memory map with those that carry mail.
import { type ChildProcess, fork } from 'node:child_process'
import { setPriority } from 'node:os'

interface Checker {
  child: ChildProcess
  /** Ends the check that it has in hand. */
  settle: (error: unknown, isRight?: boolean) => void
}

/** A tenth of the weight of an ordinary process: a login from a new place still comes to its end on a busy machine. */
const PRIORITY = 10
/** Processes without a check; never more than checks have run at the same time. */
const idle: Checker[] = []

/** Whether the password belongs to the hash; as `isPassword`, in the background. The caller bounds how many run at once. */
export async function isPasswordInBackground(encoded: string, password: string): Promise<boolean> {
  const checker = idle.pop() ?? startChecker()
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  checker.settle = (error, isRight) => (error === undefined ? resolve(isRight === true) : reject(error))
  hold(checker, true)
  checker.child.send({ encoded, password }, (error) => error && checker.settle(error))
  const isRight = await promise
  hold(checker, false)
  idle.push(checker)
  return isRight
}

/** One that fails is left out, and the next check starts another. */
function startChecker(): Checker {
  const child = fork(new URL('./background-process.ts', import.meta.url), { env: {}, execArgv: [], stdio: 'ignore' })
  if (child.pid !== undefined) setPriority(child.pid, PRIORITY)
  const checker: Checker = { child, settle: () => {} }
  const lose = (error: unknown) => {
    const place = idle.indexOf(checker)
    if (place >= 0) idle.splice(place, 1)
    checker.settle(error)
  }
  child.on('message', (isRight) => checker.settle(undefined, isRight === true))
  child.on('error', lose)
  child.on('exit', () => lose(new Error('the process of a password check has ended')))
  return checker
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
