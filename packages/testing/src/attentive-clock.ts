// Time as a test's own process has had it: what passes while the machine gives it no turn (other work, a pause of a virtual
// machine) does not count; what passes while it is busy itself does.

const TICK_MS = 100
/** A tick is late by as much on a machine that is merely busy. */
const LATE_MS = 500

let passedMs = 0
let lastAt = performance.now()
let lastCpu = process.cpuUsage()

function tick(): void {
  const now = performance.now()
  const used = process.cpuUsage(lastCpu)
  const busyMs = (used.user + used.system) / 1_000
  passedMs += Math.min(now - lastAt, Math.max(LATE_MS, busyMs))
  lastAt = now
  lastCpu = process.cpuUsage()
}

setInterval(tick, TICK_MS).unref()

/** Milliseconds since some moment; for differences. */
export function attentiveNow(): number {
  tick()
  return passedMs
}
