import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { clearLeftovers } from './leftovers.ts'
import { identify, isAlive } from './process-identity.ts'
import { livingProcesses, recordProcess } from './run-directory.ts'

function runDirectory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'run-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

function startProgram(script: string): Disposable & { child: ChildProcess; pid: number; ended: Promise<unknown[]> } {
  const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
  const ended = once(child, 'exit')
  return { child, pid: child.pid!, ended, [Symbol.dispose]: () => void child.kill('SIGKILL') }
}

test('what an earlier run left behind is stopped', async () => {
  using directory = runDirectory()
  using program = startProgram('exec sleep 60')
  recordProcess(directory.path, 'scanner', program.pid)
  assert.deepEqual(await clearLeftovers(directory.path), ['scanner'])
  assert.deepEqual(await program.ended, [null, 'SIGTERM'])
})

test('a leftover that does not stop is killed', async () => {
  using directory = runDirectory()
  using program = startProgram("trap '' TERM; echo up; while :; do sleep 1; done")
  await once(program.child.stdout!, 'data')
  recordProcess(directory.path, 'scanner', program.pid)
  await clearLeftovers(directory.path, 200)
  assert.deepEqual(await program.ended, [null, 'SIGKILL'])
})

test('a process that only has the pid of a leftover is left alone', async () => {
  using directory = runDirectory()
  using program = startProgram('exec sleep 60')
  recordProcess(directory.path, 'scanner', program.pid)
  const file = join(directory.path, 'scanner.process.json')
  const recorded = JSON.parse(readFileSync(file, 'utf8'))
  for (const other of [{ startTicks: '1' }, { bootId: 'another' }]) {
    writeFileSync(file, JSON.stringify({ ...recorded, ...other }))
    assert.deepEqual(await clearLeftovers(directory.path, 200), [])
  }
  assert.ok(identify(program.pid))
})

test('a record that was cut off by a crash is no obstacle', () => {
  using directory = runDirectory()
  writeFileSync(join(directory.path, 'scanner.process.json'), '{"pid":')
  assert.deepEqual(livingProcesses(directory.path), [])
})

test('a process that has ended is not alive any more', async () => {
  using program = startProgram('exec sleep 60')
  const identity = identify(program.pid)!
  assert.equal(isAlive(identity), true)
  program.child.kill('SIGKILL')
  await program.ended
  assert.equal(isAlive(identity), false)
})
