import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { lockStateDirectory } from './launcher-lock.ts'
import { identify } from './process-identity.ts'

function runDirectory(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'lock-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) }
}

test('a second launcher on the same state directory is refused, until the first has gone', async () => {
  using directory = runDirectory()
  const first = await lockStateDirectory(directory.path, [])
  await assert.rejects(lockStateDirectory(directory.path, []), /already runs .*another STATE_DIR/)
  first[Symbol.dispose]()
  using _second = await lockStateDirectory(directory.path, [])
})

test('the lock of a launcher that was killed is taken over', async () => {
  using directory = runDirectory()
  const killed = { ...identify(process.pid)!, startTicks: '1' }
  writeFileSync(join(directory.path, 'launcher.json'), JSON.stringify({ launcher: killed, guardians: [] }))
  using _lock = await lockStateDirectory(directory.path, [])
  assert.deepEqual(readdirSync(directory.path), ['launcher.json'])
})

test('a launcher whose npm start was killed is ended and its lock taken over', async () => {
  using directory = runDirectory()
  const orphan = spawn('sleep', ['60'], { stdio: 'ignore' })
  const ended = once(orphan, 'exit')
  const holder = { launcher: identify(orphan.pid!), guardians: [{ ...identify(process.pid)!, startTicks: '1' }] }
  writeFileSync(join(directory.path, 'launcher.json'), JSON.stringify(holder))
  using _lock = await lockStateDirectory(directory.path, [])
  assert.deepEqual(await ended, [null, 'SIGTERM'])
})

test('a lock that was cut off by a crash is taken over', async () => {
  using directory = runDirectory()
  writeFileSync(join(directory.path, 'launcher.json'), '{"laun')
  using _lock = await lockStateDirectory(directory.path, [])
})
