import assert from 'node:assert/strict'
import { test } from 'node:test'
import { installCommand, missingOf } from './system-packages.ts'

test('who is not root is told the exact command', () => {
  assert.equal(
    installCommand(['rabbitmq-server', 'clamav-daemon'], false),
    'sudo apt-get update && sudo apt-get install -y --no-install-recommends rabbitmq-server clamav-daemon',
  )
  assert.doesNotMatch(installCommand(['swaks'], true), /sudo/)
})

test('a package counts as missing when neither its file nor dpkg’s record is there', async () => {
  const packages = [
    { name: 'by-file', file: process.execPath },
    { name: 'no-file', file: '/nonexistent' },
    { name: 'sekimori-no-such-package' },
  ]
  assert.deepEqual(await missingOf(packages), ['no-file', 'sekimori-no-such-package'])
})
