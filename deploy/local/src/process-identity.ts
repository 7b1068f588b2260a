// Tells one process from a later one that got the same pid: by its start time and the boot that it belongs to.
import { readFileSync } from 'node:fs'

export interface ProcessIdentity {
  pid: number
  /** Clock ticks between boot and the start of the process (proc(5), stat field 22). */
  startTicks: string
  bootId: string
}

const bootId = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()

/** The identity of a process that runs now; undefined when there is none (a zombie counts as gone). */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid)
  if (fields === undefined || fields[0] === 'Z' || fields[0] === 'X') return undefined
  return { pid, startTicks: fields[19]!, bootId }
}

/** Whether the very process still runs, not another one with its pid. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identity.bootId === bootId && identify(identity.pid)?.startTicks === identity.startTicks
}

/** The pid of the process's parent; undefined when the process is gone. */
export function parentOf(pid: number): number | undefined {
  const fields = statFields(pid)
  return fields === undefined ? undefined : Number(fields[1])
}

/** The fields of /proc/<pid>/stat from the third (state) on: the second, the name, may hold spaces and brackets. */
function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
