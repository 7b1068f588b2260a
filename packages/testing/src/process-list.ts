// Looks at the processes of this machine (proc(5)): what still runs, and what has to do with a state directory.
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** Whether the process runs; one that has ended and was not waited for (a zombie) does not. */
export function isRunning(pid: number): boolean {
  const state = /\) (\w) /.exec(read(`/proc/${pid}/stat`) ?? '')?.[1]
  return state !== undefined && state !== 'Z' && state !== 'X'
}

/** The running children of a process. */
export function childrenOf(pid: number): number[] {
  return pids().filter((candidate) => {
    const parent = /\) \w (\d+) /.exec(read(`/proc/${candidate}/stat`) ?? '')?.[1]
    return parent === String(pid) && isRunning(candidate)
  })
}

/** Every process but ourselves whose arguments, environment or working directory name the directory, as text. */
export function processesOf(directory: string): string[] {
  return pids().flatMap((pid) => {
    if (pid === process.pid || !isRunning(pid)) return []
    const command = read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ') ?? ''
    const isOurs =
      command.includes(directory) ||
      (read(`/proc/${pid}/environ`) ?? '').includes(directory) ||
      (workingDirectory(pid) ?? '').startsWith(directory)
    return isOurs ? [`${pid} ${command.slice(0, 150)}`] : []
  })
}

function pids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

function workingDirectory(pid: number): string | undefined {
  return orGone(() => readlinkSync(`/proc/${pid}/cwd`))
}

function read(path: string): string | undefined {
  return orGone(() => readFileSync(path, 'latin1'))
}

/** A process may end while it is looked at, and others' may not be looked into. */
function orGone<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== undefined && ['ENOENT', 'ESRCH', 'EACCES', 'EPERM'].includes(code)) return undefined
    throw error
  }
}
