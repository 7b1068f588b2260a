// argon2 for whoever may be guessing: in threads of the lowest priority, so that a flood of logins gets the processor time
// that mail leaves over.
import { Worker } from 'node:worker_threads'

interface Thread {
  worker: Worker
  /** Ends the check that it has in hand. */
  settle: (error: unknown, isRight?: boolean) => void
}

/** Threads without a check; never more than checks have run at the same time. */
const idle: Thread[] = []

/** Whether the password belongs to the hash; as `isPassword`, in the background. The caller bounds how many run at once. */
export async function isPasswordInBackground(encoded: string, password: string): Promise<boolean> {
  const thread = idle.pop() ?? startThread()
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  thread.settle = (error, isRight) => (error === undefined ? resolve(isRight === true) : reject(error))
  thread.worker.ref()
  thread.worker.postMessage({ encoded, password })
  const isRight = await promise
  // A process may end while its threads have nothing to do.
  thread.worker.unref()
  idle.push(thread)
  return isRight
}

/** A thread that fails is left out, and the next check starts another. */
function startThread(): Thread {
  const worker = new Worker(new URL('./background-thread.ts', import.meta.url))
  const thread: Thread = { worker, settle: () => {} }
  const lose = (error: unknown) => {
    const place = idle.indexOf(thread)
    if (place >= 0) idle.splice(place, 1)
    thread.settle(error)
  }
  worker.on('message', (isRight: boolean) => thread.settle(undefined, isRight))
  worker.on('error', lose)
  worker.on('exit', () => lose(new Error('the thread of a password check has ended')))
  return thread
}
