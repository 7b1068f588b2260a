// The process as it is run: settings from the environment, a real socket, SIGTERM.
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { createTestDatabase } from '@sekimori/testing/test-database'
import { adminApiKey } from './testing/api-under-test.ts'

const main = fileURLToPath(new URL('main.ts', import.meta.url))

function start(environment: Record<string, string>): ChildProcess {
  return spawn(process.execPath, [main], { env: environment, stdio: ['ignore', 'pipe', 'pipe'] })
}

async function untilListening(child: ChildProcess): Promise<number> {
  for await (const line of createInterface(child.stdout!)) {
    const entry = JSON.parse(line)
    if (entry.msg === 'listening') return entry.port
  }
  throw new Error(`the process ended before it listened: ${await text(child.stderr!)}`)
}

test('the service starts on an empty database, answers, and stops on SIGTERM', async () => {
  await using stack = await createTestDatabase()
  const child = start({
    DATABASE_URL: stack.url,
    ADMIN_API_KEY: adminApiKey,
    DKIM_MASTER_KEY: randomBytes(32).toString('base64'),
    BIND_ADDRESS: '127.0.0.1',
    SETTINGS_API_PORT: '0',
    HEALTH_PORT: '0',
  })
  const exit = once(child, 'exit')
  try {
    const port = await untilListening(child)
    child.stdout!.resume()
    const answer = await fetch(`http://127.0.0.1:${port}/v1/domains`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminApiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({ name: 'example.test' }),
    })
    assert.equal(answer.status, 201)
    child.kill('SIGTERM')
    assert.deepEqual(await exit, [0, null])
  } finally {
    child.kill('SIGKILL')
  }
})

test('unusable settings are all named at once, and no secret is shown', async () => {
  const child = start({ ADMIN_API_KEY: 'short', DKIM_MASTER_KEY: 'bm90IDMyIG9jdGV0cw==' })
  const [errors, [code]] = await Promise.all([text(child.stderr!), once(child, 'exit')])
  assert.equal(code, 78)
  for (const name of ['DATABASE_URL', 'ADMIN_API_KEY', 'DKIM_MASTER_KEY']) assert.match(errors, new RegExp(name))
  assert.doesNotMatch(errors, /short|bm90/)
})
