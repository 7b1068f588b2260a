// A flood of logins from a process of its own. Whoever floods computes elsewhere, so the process gives way to the system that is
// measured (lowest priority); its report says what rate it kept.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'
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
  const child = fork(fileURLToPath(import.meta.url), { execArgv: [] })
  setPriority(child.pid!, constants.priority.PRIORITY_LOW)
  child.send(order)
  await once(child, 'message')
  return async () => {
    child.send('stop')
    const [report] = (await once(child, 'message')) as [FloodReport]
    if (child.exitCode === null) await once(child, 'exit')
    return report
  }
}

async function flood(): Promise<void> {
  const [{ target, perSecond }] = (await once(process, 'message')) as [Order]
  const running = new LoginFlood(target, perSecond)
  process.send!('started')
  await once(process, 'message')
  const report = { rate: running.rate(), answers: running.answers }
  await running[Symbol.asyncDispose]()
  process.send!(report)
  process.disconnect!()
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) await flood()
