// One launcher for one state directory.
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { end } from './leftovers.ts'
import { identify, isAlive, type ProcessIdentity } from './process-identity.ts'
import { StartFailure } from './start-failure.ts'

interface Holder {
  launcher: ProcessIdentity
  guardians: ProcessIdentity[]
}

/** Time for a launcher that lost its guardian to stop by itself. */
const ORPHAN_TIMEOUT_MS = 40_000

/**
 * Takes the lock; dispose it to give it back. A launcher whose `npm start` was killed is about to stop: it is waited for.
 * @throws StartFailure when another launcher works on this state directory.
 */
export async function lockStateDirectory(runDirectory: string, guardians: ProcessIdentity[]): Promise<Disposable> {
  const path = join(runDirectory, 'launcher.json')
  const mine = `${path}.${process.pid}`
  writeFileSync(mine, JSON.stringify({ launcher: identify(process.pid), guardians }))
  try {
    while (!link(mine, path)) await clearHolder(path)
  } finally {
    rmSync(mine, { force: true })
  }
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) }
}

/** Links in one step, so that of two launchers only one succeeds. */
function link(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

async function clearHolder(path: string): Promise<void> {
  const holder = readHolder(path)
  if (holder !== undefined && isAlive(holder.launcher)) {
    if (holder.guardians.every(isAlive)) throw alreadyRunning(path, holder.launcher.pid)
    await end([{ name: 'launcher', identity: holder.launcher }], ORPHAN_TIMEOUT_MS)
  }
  removeStale(path, holder)
}

/** Takes the lock of a dead launcher away; if another one was faster, its lock is put back. */
function removeStale(path: string, stale: Holder | undefined): void {
  const aside = `${path}.${process.pid}.stale`
  try {
    renameSync(path, aside)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  const found = readHolder(aside)
  if (JSON.stringify(found) !== JSON.stringify(stale)) link(aside, path)
  rmSync(aside)
}

function readHolder(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder
  } catch (error) {
    // Gone meanwhile, or cut off by a crash of the machine.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
}

function alreadyRunning(path: string, pid: number): StartFailure {
  const stateDir = join(path, '..', '..')
  return new StartFailure(
    `npm start already runs on ${stateDir} (process ${pid}). Stop that one first, or start this one with another STATE_DIR and other ports.`,
    `${stateDir} では npm start がすでに動いています (プロセス ${pid})。先にそれを止めるか、別の STATE_DIR とポートで起動してください。`,
  )
}
