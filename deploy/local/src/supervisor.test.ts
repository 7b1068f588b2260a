import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { identify } from './process-identity.ts'
import type { Program } from './program.ts'
import { livingProcesses } from './run-directory.ts'
import { backoffMs, Supervisor } from './supervisor.ts'

interface Stage extends AsyncDisposable {
  supervisor: Supervisor
  directory: string
  program: (script: string, overrides?: Partial<Program>) => Program
}

function stage(): Stage {
  const directory = mkdtempSync(join(tmpdir(), 'supervisor-'))
  const supervisor = new Supervisor(directory, { onStarted: () => {}, onEnded: () => {} })
  const program = (script: string, overrides: Partial<Program> = {}): Program => ({
    name: 'stand-in',
    command: 'sh',
    args: ['-c', script],
    env: { PATH: process.env.PATH },
    cwd: directory,
    logPath: join(directory, 'stand-in.log'),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: 60_000,
    startTimeoutMs: 60_000,
    isReady: async () => existsSync(join(directory, 'ready')),
    ...overrides,
  })
  return {
    supervisor,
    directory,
    program,
    async [Symbol.asyncDispose]() {
      await supervisor.stop(['stand-in'])
      rmSync(directory, { recursive: true })
    },
  }
}

async function eventually(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!condition()) {
    assert.ok(Date.now() < deadline, `never: ${condition}`)
    await delay(20)
  }
}

test('a killed program runs again, and its new pid is recorded', async () => {
  await using at = stage()
  await at.supervisor.start(at.program('touch ready; exec sleep 60'))
  const first = at.supervisor.pids.get('stand-in')!
  process.kill(first, 'SIGKILL')
  const isBack = () => ![undefined, first].includes(at.supervisor.pids.get('stand-in'))
  await eventually(isBack)
  const [recorded] = livingProcesses(at.directory)
  assert.equal(recorded?.identity.pid, at.supervisor.pids.get('stand-in'))
})

test('a program that ends while it starts is reported with its last words', async () => {
  await using at = stage()
  const failing = at.program('echo "POP3_PORT: must be a number"; exit 78')
  await assert.rejects(at.supervisor.start(failing), /stand-in ended \(exit status 78\).*POP3_PORT: must be a number/s)
})

test('a program that never gets ready is reported', async () => {
  await using at = stage()
  const hanging = at.program('exec sleep 60', { startTimeoutMs: 200 })
  await assert.rejects(at.supervisor.start(hanging), /stand-in was not ready within 0.2 s/)
})

test('a stopped program stays stopped', async () => {
  await using at = stage()
  await at.supervisor.start(at.program('touch ready; exec sleep 60'))
  const pid = at.supervisor.pids.get('stand-in')!
  await at.supervisor.stop(['stand-in'])
  assert.equal(identify(pid), undefined)
  assert.equal(at.supervisor.pids.size, 0)
  await assert.rejects(at.supervisor.start(at.program('exec sleep 60')), /interrupted/)
})

test('a program that does not stop in time is killed with all that it started', async () => {
  await using at = stage()
  const stubborn = "trap '' TERM; sleep 60 & echo $! > child; touch ready; while :; do wait; done"
  await at.supervisor.start(at.program(stubborn, { stopTimeoutMs: 200 }))
  const child = Number(readFileSync(join(at.directory, 'child'), 'utf8'))
  await at.supervisor.stop(['stand-in'])
  await eventually(() => identify(child) === undefined)
})

test('only a program that ends again and again waits for its restart', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 20].map(backoffMs), [0, 0, 0, 0, 1_000, 2_000, 4_000, 30_000])
})
