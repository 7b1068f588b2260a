import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readSettings } from './config.ts'
import { prepareStateDirectory, statePaths } from './state-directory.ts'

test('the state directory is for its owner only', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'state-'))
  try {
    const paths = statePaths(join(parent, 'a', 'b'))
    await prepareStateDirectory(paths)
    assert.equal(statSync(paths.root).mode & 0o777, 0o700)
  } finally {
    rmSync(parent, { recursive: true })
  }
})

test('a state directory that can not be written is named with the remedy', async () => {
  const parent = mkdtempSync(join(tmpdir(), 'state-'))
  const file = join(parent, 'file')
  writeFileSync(file, '')
  try {
    for (const root of [file, join(file, 'below'), '/sys/sekimori'])
      await assert.rejects(prepareStateDirectory(statePaths(root)), (error) => {
        assert.ok((error as Error).message.startsWith(`The state directory ${root} can't be used`))
        assert.match((error as Error).message, /STATE_DIR=\/path npm start/)
        return true
      })
  } finally {
    rmSync(parent, { recursive: true })
  }
})

test('standard ports are defaults: a port that is set stays', () => {
  const settings = readSettings({ MX_PORT: '2525' }, true)
  assert.deepEqual([settings.SUBMISSION_PORT, settings.POP3S_PORT, settings.MX_PORT], [587, 995, 2525])
  assert.equal(readSettings({}, false).SUBMISSION_PORT, 1587)
})

test('a relative state directory lies in the workspace, wherever npm start is called', () => {
  const settings = readSettings({ STATE_DIR: 'state' }, false)
  assert.equal(settings.STATE_DIR, join(settings.workspace, 'state'))
})
