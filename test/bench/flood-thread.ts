// A flood of logins in a thread of its own, so that the clock of who measures does not wait for it.
import { once } from 'node:events'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { LoginFlood } from './login-flood.ts'

export interface FloodReport {
  /** Answered logins a second. */
  rate: number
  /** How many got which reply code. */
  answers: Record<string, number>
}

interface Order {
  target: { host: string; port: number }
  perSecond: number
}

/** Starts the flood; the function that it resolves to ends it. */
export async function startFlood(order: Order): Promise<() => Promise<FloodReport>> {
  const worker = new Worker(new URL(import.meta.url), { workerData: order })
  await once(worker, 'online')
  return async () => {
    worker.postMessage('stop')
    const [report] = (await once(worker, 'message')) as [FloodReport]
    await worker.terminate()
    return report
  }
}

async function flood({ target, perSecond }: Order): Promise<void> {
  const running = new LoginFlood(target, perSecond)
  await once(parentPort!, 'message')
  const report = { rate: running.rate(), answers: running.answers }
  await running[Symbol.asyncDispose]()
  parentPort!.postMessage(report)
}

if (!isMainThread) await flood(workerData as Order)
