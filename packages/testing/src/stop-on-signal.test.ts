// What a program has started does not outlive it, also when the program was started by `npm run` and is told to end.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { workspace } from './launcher.ts'
import { isRunning } from './process-list.ts'

/** Starts a process that ignores signals, tells its id, and takes its time to end it. */
const PROGRAM = `
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { stopOnSignal } from '${workspace}/packages/testing/src/stop-on-signal.ts'

const child = spawn('sleep', ['600'], { stdio: 'ignore', detached: true })
const exited = once(child, 'exit')
setInterval(() => {}, 1_000)
stopOnSignal({
  async [Symbol.asyncDispose]() {
    void Promise.reject(new Error('the work that is under way fails'))
    await new Promise((resolve) => setTimeout(resolve, 200))
    child.kill('SIGKILL')
    await exited
  },
})
process.stdout.write(String(child.pid))
`

for (const [signal, status] of [
  ['SIGTERM', 143],
  ['SIGHUP', 129],
  ['SIGINT', 130],
] as const)
  test(`${signal} reaches the program under deploy/local/run.mjs, which stops what it started before it ends`, async () => {
    await using resources = new AsyncDisposableStack()
    const directory = await mkdtemp(join(tmpdir(), 'sekimori-'))
    resources.defer(() => rm(directory, { recursive: true }))
    const file = join(directory, 'program.mjs')
    await writeFile(file, PROGRAM)
    const command = [join(workspace, 'deploy', 'local', 'run.mjs'), file]
    const running = spawn(process.execPath, command, { stdio: ['ignore', 'pipe', 'inherit'] })
    resources.defer(() => void running.kill('SIGKILL'))
    const [started] = await once(running.stdout, 'data')
    const pid = Number(String(started))
    assert.ok(isRunning(pid))
    running.kill(signal)
    const [code] = await once(running, 'exit')
    assert.deepEqual([code, isRunning(pid)], [status, false])
  })
