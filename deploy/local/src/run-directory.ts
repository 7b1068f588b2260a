// $STATE_DIR/run: a file for each process that the launcher started, so that a later launcher finds what a killed one
// left running.
import { readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts'

const SUFFIX = '.process.json'

export interface RecordedProcess {
  name: string
  identity: ProcessIdentity
}

/** Notes that the program runs as this process. */
export function recordProcess(directory: string, name: string, pid: number): void {
  const identity = identify(pid)
  // It ended before we looked: there is nothing to find later.
  if (identity === undefined) return
  const path = join(directory, `${name}${SUFFIX}`)
  writeFileSync(`${path}.partial`, JSON.stringify(identity))
  renameSync(`${path}.partial`, path)
}

/** Notes that the program has ended. */
export function forgetProcess(directory: string, name: string): void {
  rmSync(join(directory, `${name}${SUFFIX}`), { force: true })
}

/** Drops all records. */
export function forgetAll(directory: string): void {
  for (const file of readdirSync(directory)) if (file.endsWith(SUFFIX)) rmSync(join(directory, file), { force: true })
}

/** The recorded processes that still run. */
export function livingProcesses(directory: string): RecordedProcess[] {
  return readdirSync(directory)
    .filter((file) => file.endsWith(SUFFIX))
    .flatMap((file) => {
      const identity = readIdentity(join(directory, file))
      return identity !== undefined && isAlive(identity) ? [{ name: file.slice(0, -SUFFIX.length), identity }] : []
    })
}

function readIdentity(path: string): ProcessIdentity | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity
  } catch {
    // Cut off by a crash of the machine, in which the process ended too.
    return undefined
  }
}
