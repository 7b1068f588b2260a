import assert from 'node:assert/strict'
import { closeSync, mkdtempSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { boundLog, openLog, rotateLog, tailOf } from './log-file.ts'

function logPath(): Disposable & { path: string } {
  const directory = mkdtempSync(join(tmpdir(), 'log-'))
  return { path: join(directory, 'a.log'), [Symbol.dispose]: () => rmSync(directory, { recursive: true }) }
}

test('a log that outgrew its limit is cut under the hands of its writer', () => {
  using log = logPath()
  const fd = openLog(log.path)
  writeSync(fd, 'first\n'.repeat(100))
  boundLog(log.path, 1_000)
  assert.equal(statSync(log.path).size, 600)
  boundLog(log.path, 100)
  writeSync(fd, 'second\n')
  closeSync(fd)
  assert.equal(readFileSync(log.path, 'utf8'), 'second\n')
  assert.equal(statSync(`${log.path}.1`).size, 600)
  assert.equal(statSync(log.path).mode & 0o777, 0o600)
})

test('the log of the last run is kept aside, and the tail of one is its last lines', () => {
  using log = logPath()
  rotateLog(log.path)
  const fd = openLog(log.path)
  writeSync(fd, `${'x'.repeat(20_000)}\n1\n2\n3\n`)
  closeSync(fd)
  assert.equal(tailOf(log.path, 2), '2\n3')
  rotateLog(log.path)
  assert.equal(tailOf(log.path), '')
  assert.equal(tailOf(`${log.path}.1`, 1), '3')
})
