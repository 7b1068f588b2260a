// The gateway as a process: it starts from its settings, drains on SIGTERM, and a crash frees its locks in time.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { hashPassword } from '@sekimori/store/password'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { startGateway } from './testing/gateway-process.ts'
import { WireClient } from './testing/wire-client.ts'

let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test')")
  await stack.database.query(
    "insert into account (address, domain, password_hash) values ('bob@example.test', 'example.test', $1)",
    [await hashPassword('secret')],
  )
})
after(() => stack[Symbol.asyncDispose]())

test('SIGTERM lets a session finish and ends the process with status 0', async () => {
  await using gateway = await startGateway(stack.url)
  await using client = await WireClient.login(gateway.pop3sPort)
  const exited = once(gateway.process, 'exit')
  gateway.process.kill('SIGTERM')
  assert.equal(await client.say('STAT'), '+OK 0 0')
  assert.equal(await client.say('QUIT'), '+OK Bye')
  assert.deepEqual(await exited, [0, null])
})

test('a crash frees the maildrop within 10 s', async () => {
  await using crashing = await startGateway(stack.url)
  await using surviving = await startGateway(stack.url)
  await using _client = await WireClient.login(crashing.pop3sPort)
  const crash = performance.now()
  crashing.process.kill('SIGKILL')
  let refusals = 0
  for (;;) {
    try {
      await using client = await WireClient.login(surviving.pop3sPort)
      assert.equal(await client.say('STAT'), '+OK 0 0')
      break
    } catch (error) {
      assert.match((error as Error).message, /^-ERR \[IN-USE\]/)
      assert.ok(performance.now() - crash < 10_000, 'still locked after 10 s')
      refusals += 1
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  assert.ok(refusals > 0)
})
