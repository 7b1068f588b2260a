import assert from 'node:assert/strict'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { Freshclam } from './freshclam.ts'
import { livingProcesses } from './run-directory.ts'
import { type StatePaths, statePaths } from './state-directory.ts'

/** A state directory, and a program in freshclam's place that follows the script. */
function standIn(script: string): Disposable & { paths: StatePaths; command: string; runs: () => number } {
  const root = mkdtempSync(join(tmpdir(), 'freshclam-'))
  const paths = statePaths(root)
  for (const path of [paths.run, paths.logs]) mkdirSync(path)
  const command = join(root, 'freshclam')
  const count = join(root, 'runs')
  writeFileSync(command, `#!/bin/sh\necho "$@" >> ${count}\n${script}\n`)
  chmodSync(command, 0o755)
  const runs = () => (existsSync(count) ? readFileSync(count, 'utf8').split('\n').length - 1 : 0)
  return { paths, command, runs, [Symbol.dispose]: () => rmSync(root, { recursive: true }) }
}

async function until(what: () => boolean): Promise<void> {
  const deadline = Date.now() + 60_000
  while (!what()) {
    assert.ok(Date.now() < deadline, String(what))
    await delay(10)
  }
}

test('freshclam runs again and again with a configuration of its own; failing is said once, and that it is over', async () => {
  using place = standIn('[ ! -e "$(dirname "$0")/broken" ]')
  const broken = join(place.paths.root, 'broken')
  writeFileSync(broken, '')
  const said: (string | undefined)[] = []
  const options = { ...place, intervalMs: 1, onChange: (fault: string | undefined) => void said.push(fault) }
  await using _freshclam = new Freshclam(options)
  await until(() => place.runs() > 3)
  assert.equal(said.length, 1)
  assert.match(said[0]!, /it ended with status 1, see .*freshclam\.log/)
  rmSync(broken)
  await until(() => said.length > 1)
  assert.equal(said[1], undefined)
  const configuration = readFileSync(join(place.paths.clamd, 'freshclam.conf'), 'utf8')
  assert.match(configuration, new RegExp(`^DatabaseDirectory ${place.paths.signatures}$`, 'm'))
})

test('freshclam is gone when the launcher stops it, however long it would have run', async () => {
  using place = standIn('exec tail -f /dev/null')
  {
    await using _freshclam = new Freshclam({ ...place, onChange: assert.fail })
    await until(() => livingProcesses(place.paths.run).length === 1 && place.runs() === 1)
  }
  assert.deepEqual(livingProcesses(place.paths.run), [])
})

test('where freshclam is missing that is said, and it is looked for again', async () => {
  using place = standIn('')
  const said: (string | undefined)[] = []
  const command = join(place.paths.root, 'later')
  const onChange = (fault: string | undefined) => void said.push(fault)
  await using _freshclam = new Freshclam({ ...place, command, intervalMs: 1, onChange })
  await until(() => said.length === 1)
  assert.match(said[0]!, /freshclam can't be started/)
  writeFileSync(command, '#!/bin/sh\n', { mode: 0o755 })
  await until(() => said.length === 2)
})
