// The processes above the launcher that a person or a script knows as "npm start": start.mjs, and npm over it. When
// one of them is killed, the launcher stops too, as nobody else could find it.
import { readFileSync } from 'node:fs'
import { identify, isAlive, type ProcessIdentity, parentOf } from './process-identity.ts'

const POLL_MS = 500
/** npm, perhaps a shell, start.mjs. */
const MAX_LEVELS = 4

/** The launcher's guardians, and a program's that says it is one; none when main.ts was started directly. */
export function findGuardians(environment: NodeJS.ProcessEnv): ProcessIdentity[] {
  if (environment.SEKIMORI_STARTED_BY !== String(process.ppid)) return []
  const program = Number(environment.SEKIMORI_GUARDIAN)
  return [...(program > 1 ? identities([program]) : []), ...commandsAbove(environment)]
}

function commandsAbove(environment: NodeJS.ProcessEnv): ProcessIdentity[] {
  const chain = [process.ppid]
  if (environment.npm_lifecycle_event !== 'start') return identities(chain)
  for (let level = 1; level < MAX_LEVELS; level++) {
    const parent = parentOf(chain.at(-1)!)
    if (parent === undefined || parent <= 1) break
    chain.push(parent)
    if (isPackageManager(parent)) return identities(chain)
  }
  return identities([process.ppid])
}

/** Calls once when a guardian has ended. */
export function watchGuardians(guardians: ProcessIdentity[], onLoss: () => void): Disposable {
  const timer = setInterval(() => {
    if (guardians.every(isAlive)) return
    clearInterval(timer)
    onLoss()
  }, POLL_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

function identities(pids: number[]): ProcessIdentity[] {
  return pids.map(identify).filter((identity) => identity !== undefined)
}

function isPackageManager(pid: number): boolean {
  try {
    return /(^|\/)(npm|pnpm|yarn)\b/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false
    throw error
  }
}
