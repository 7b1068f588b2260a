import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { attentiveNow } from './attentive-clock.ts'

/** More than what counts of time without a turn. */
const WORK_MS = 900

/** Some milliseconds of work. */
function burn(): void {
  for (let i = 0; i < 1_000_000; i++) Math.sqrt(i)
}

test('time in which this process waits or works counts, time in which it has no turn does not', async () => {
  const start = attentiveNow()
  await pause(300)
  const afterPause = attentiveNow()
  assert.ok(afterPause - start >= 250, `${afterPause - start}`)
  const before = process.cpuUsage()
  for (let used = process.cpuUsage(before); used.user + used.system < WORK_MS * 1_000; used = process.cpuUsage(before))
    burn()
  const afterWork = attentiveNow()
  assert.ok(afterWork - afterPause >= WORK_MS - 100, `${afterWork - afterPause}`)
  // Asleep in a system call, as when it is stopped.
  execFileSync('sleep', ['2'])
  const afterStop = attentiveNow()
  assert.ok(afterStop - afterWork < 1_500, `${afterStop - afterWork}`)
})
