// Clears what an earlier launcher left running when it was killed.
import { setTimeout as delay } from 'node:timers/promises'
import { isAlive } from './process-identity.ts'
import { signalProcess } from './program.ts'
import { forgetAll, livingProcesses, type RecordedProcess } from './run-directory.ts'

/** Servers that the others work with: they go last, as in an orderly stop. */
const SERVERS = ['clamd', 'rabbitmq', 'postgres', 'epmd']
const POLL_MS = 50

/** Stops the leftovers, services first; whoever doesn't end in time is killed. Returns their names. */
export async function clearLeftovers(runDirectory: string, timeoutMs = 15_000): Promise<string[]> {
  const leftovers = livingProcesses(runDirectory)
  const isServer = ({ name }: RecordedProcess) => SERVERS.includes(name)
  await end(
    leftovers.filter((leftover) => !isServer(leftover)),
    timeoutMs,
  )
  await end(
    leftovers.filter((leftover) => isServer(leftover) && leftover.name !== 'epmd'),
    timeoutMs,
  )
  await end(
    leftovers.filter(({ name }) => name === 'epmd'),
    timeoutMs,
  )
  forgetAll(runDirectory)
  return leftovers.map(({ name }) => name)
}

/** Ends these processes, and nothing that only has their pid. */
export async function end(processes: RecordedProcess[], timeoutMs: number): Promise<void> {
  for (const { name, identity } of processes)
    if (isAlive(identity)) signalProcess(identity.pid, name === 'postgres' ? 'SIGINT' : 'SIGTERM')
  await untilGone(processes, timeoutMs)
  for (const { identity } of processes) {
    if (!isAlive(identity)) continue
    // Each leads a process group of its own.
    signalProcess(-identity.pid, 'SIGKILL')
    signalProcess(identity.pid, 'SIGKILL')
  }
  await untilGone(processes, timeoutMs)
}

async function untilGone(processes: RecordedProcess[], timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (Date.now() < deadline && processes.some(({ identity }) => isAlive(identity))) await delay(POLL_MS)
}
