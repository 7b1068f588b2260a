import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { test } from 'node:test'
import { findGuardians, watchGuardians } from './guardians.ts'
import { identify } from './process-identity.ts'

test('a launcher that was started by hand has no guardian', () => {
  assert.deepEqual(findGuardians({}), [])
  assert.deepEqual(findGuardians({ SEKIMORI_STARTED_BY: '1' }), [])
})

test('who started the launcher is its guardian', () => {
  const environment = { SEKIMORI_STARTED_BY: String(process.ppid) }
  assert.deepEqual(findGuardians(environment), [identify(process.ppid)])
})

test('a program that started the launcher for itself is a guardian, too', () => {
  const environment = { SEKIMORI_STARTED_BY: String(process.ppid), SEKIMORI_GUARDIAN: String(process.pid) }
  assert.deepEqual(findGuardians(environment), [identify(process.pid), identify(process.ppid)])
})

test('the loss of a guardian is noticed', async () => {
  const guardian = spawn('sleep', ['60'], { stdio: 'ignore' })
  const guardians = [identify(process.pid)!, identify(guardian.pid!)!]
  await new Promise<void>((resolve) => {
    const watch = watchGuardians(guardians, () => {
      watch[Symbol.dispose]()
      resolve()
    })
    guardian.kill('SIGKILL')
  })
})
