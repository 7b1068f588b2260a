// npm start where it can not work, and asked for help: it says what is wrong and what to do, ends with a failure, and leaves nothing behind.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Launcher, launch, workspace } from '@sekimori/testing/launcher'
import { composeMail } from '@sekimori/testing/mail-text'
import { processesOf } from '@sekimori/testing/process-list'
import { runClient } from '@sekimori/testing/real-client'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { isolatedSettings, newStateDirectory } from '@sekimori/testing/stack-settings'

/** A new directory, removed at the end. */
function scratchDirectory(): Disposable & { path: string } {
  const path = newStateDirectory()
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

/** Fails unless the launcher ended with a failure and left nothing; resolves to what it said. */
async function failed(launcher: Launcher): Promise<string> {
  const { code } = await launcher.exited
  assert.ok(code !== 0 && code !== null, `it ended with ${code}:\n${launcher.output}`)
  assert.deepEqual(processesOf(launcher.stateDir), [])
  assert.doesNotMatch(launcher.output, /\n\s+at .*\.ts:\d+/, 'a person at a terminal is shown a stack trace')
  return launcher.output
}

test('npm start -- --help tells the ports and settings', async () => {
  const { transcript, code } = await runClient('npm', ['--prefix', workspace, 'start', '--', '--help'])
  assert.equal(code, 0, transcript)
  for (const word of ['--standard-ports', 'SUBMISSION_PORT=1587', 'STATE_DIR=.local', 'DNS_SERVERS'])
    assert.ok(transcript.includes(word), word)
})

test('a port in use: the message names port and setting in English and Japanese', async () => {
  using scratch = scratchDirectory()
  const settings = await isolatedSettings(scratch.path)
  const squatter = createServer().listen({ host: '127.0.0.1', port: Number(settings.POP3S_PORT) })
  await once(squatter, 'listening')
  try {
    const output = await failed(launch(settings))
    const port = settings.POP3S_PORT
    assert.match(output, new RegExp(`Port ${port} on 127\\.0\\.0\\.1 \\(POP3S_PORT\\) is in use`))
    assert.match(output, /choose other ports: POP3S_PORT=… npm start/)
    assert.match(output, new RegExp(`${port} \\(POP3S_PORT\\) は使用中です`))
    assert.equal(squatter.listening, true)
  } finally {
    squatter.close()
  }
})

test('a port given twice: the message names both settings', async () => {
  using scratch = scratchDirectory()
  const settings = await isolatedSettings(scratch.path)
  const output = await failed(launch({ ...settings, POP3_PORT: settings.MX_PORT! }))
  assert.match(output, /MX_PORT and POP3_PORT are both \d+/)
})

test('settings that can not be: all of them are named, also those of a single service', async () => {
  using scratch = scratchDirectory()
  const settings = await isolatedSettings(scratch.path)
  const own = await failed(launch({ ...settings, MX_PORT: 'many', SIGNATURE_UPDATES: 'perhaps' }))
  assert.match(own, /MX_PORT/)
  assert.match(own, /SIGNATURE_UPDATES/)
  const service = await failed(launch({ ...settings, PLAINTEXT_AUTH: 'sometimes' }))
  assert.match(service, /PLAINTEXT_AUTH/)
})

test('a state directory below a file: the message names it and the setting', async () => {
  using scratch = scratchDirectory()
  const file = join(scratch.path, 'a-file')
  writeFileSync(file, '')
  const stateDir = join(file, 'state')
  const output = await failed(launch(await isolatedSettings(stateDir)))
  assert.ok(output.includes(stateDir))
  assert.match(output, /STATE_DIR=\/path npm start/)
  assert.match(output, /書き込めるディレクトリ/)
})

test('a state directory that not even root may write', async () => {
  using scratch = scratchDirectory()
  const mounted = join(scratch.path, 'mounted')
  mkdirSync(mounted)
  const mayMount = (await runClient('unshare', ['--mount', 'true'])).code === 0
  const script = `mount -t tmpfs -o ro none ${mounted} && exec "$@"`
  const prefix = mayMount ? ['unshare', '--mount', 'sh', '-c', script, 'sh'] : []
  const stateDir = mayMount ? mounted : '/sys/sekimori-state'
  const output = await failed(launch(await isolatedSettings(stateDir), prefix))
  assert.match(output, /can't be used: .*\((EROFS|EACCES|EPERM)\)/)
  assert.ok(output.includes(stateDir))
  assert.match(output, /STATE_DIR=\/path npm start/)
  assert.deepEqual(readdirSync(mounted), [])
})

test('a second start on a state directory in use is refused, and the first goes on', async () => {
  const stack = await sharedStack()
  const launcher = launch(await isolatedSettings(stack.launcher.stateDir))
  const { code } = await launcher.exited
  assert.ok(code !== 0)
  assert.match(
    launcher.output,
    /npm start already runs on .* Stop that one first, or start this one with another STATE_DIR/,
  )
  const bob = await stack.createMailbox()
  await stack.submit(bob, [bob.address], composeMail({ from: bob.address, to: bob.address }))
  await stack.received(bob, 1)
})

test('Ctrl-C while it starts ends it well, with nothing left', async () => {
  using scratch = scratchDirectory()
  const launcher = launch(await isolatedSettings(scratch.path))
  await launcher.untilSaid(/Starting the services/)
  launcher.signal('SIGINT')
  await launcher.stop()
  assert.equal(launcher.endpoints(), undefined)
})
