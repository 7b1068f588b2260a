// CPU time of processes and all their descendants, from /proc (proc(5)).
import { readFileSync } from 'node:fs'

const MS_PER_TICK = 10

/** CPU milliseconds, user and system, that each named group of processes has used so far. */
export function cpuMs(groups: Record<string, number[]>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(groups).map(([name, pids]) => [name, pids.reduce((sum, pid) => sum + treeMs(pid), 0)]),
  )
}

/** What a process, the children that it has reaped and the ones that live have used. */
function treeMs(pid: number): number {
  const stat = read(`/proc/${pid}/stat`)
  // The command's name, in brackets, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  return ticks * MS_PER_TICK + childrenOf(pid).reduce((sum, child) => sum + treeMs(child), 0)
}

function childrenOf(pid: number): number[] {
  return read(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

function read(path: string): string {
  try {
    return readFileSync(path, 'latin1')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return '' // it ended meanwhile
    throw error
  }
}
