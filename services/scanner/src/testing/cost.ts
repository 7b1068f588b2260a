// For benches: what work costs this process and clamd in processor time (proc(5)), memory and time.
import { readFileSync } from 'node:fs'

const MS_PER_TICK = 10
const WATCH_INTERVAL_MS = 5

export interface Cost {
  ms: number
  ownCpuMs: number
  clamdCpuMs: number
  /** What both have more at the most than before. */
  memoryBytes: number
}

export async function costOf(clamdPid: number, work: () => Promise<unknown>): Promise<Cost> {
  const before = { cpu: process.cpuUsage(), clamdMs: cpuMsOf(clamdPid), bytes: memoryOf(clamdPid) }
  let mostBytes = before.bytes
  const watch = setInterval(() => {
    mostBytes = Math.max(mostBytes, memoryOf(clamdPid))
  }, WATCH_INTERVAL_MS)
  const from = performance.now()
  await work()
  const ms = performance.now() - from
  clearInterval(watch)
  const { user, system } = process.cpuUsage(before.cpu)
  return {
    ms,
    ownCpuMs: (user + system) / 1_000,
    clamdCpuMs: cpuMsOf(clamdPid) - before.clamdMs,
    memoryBytes: mostBytes - before.bytes,
  }
}

/** User and system time of all of its threads. */
function cpuMsOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  // The command's name, in brackets, may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK
}

/** What both have in memory of their own: not the files that clamd maps. */
function memoryOf(pid: number): number {
  const anonymous = /^RssAnon:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))
  return process.memoryUsage().rss + Number(anonymous?.[1] ?? 0) * 1_024
}
