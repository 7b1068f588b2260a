// The gateway as a process: it starts from its settings, drains on SIGTERM, and a crash frees its locks in time.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, test } from 'node:test'
import { hashPassword } from '@sekimori/store/password'
import { openCuttableProxy } from '@sekimori/testing/cuttable-proxy'
import { eventually } from '@sekimori/testing/eventually'
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

/** Brings the end of the lock nearer by so much. */
const passTime = (ms: number) =>
  stack.database.query("update maildrop_lease set expires_at = expires_at - $1 * interval '1 ms'", [ms])

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
  const { process: crashed } = crashing
  crashed.kill('SIGKILL')
  await once(crashed, 'exit')
  const { rows } = await stack.database.query<{ left_ms: number }>(
    'select extract(epoch from expires_at - clock_timestamp())::float8 * 1000 as left_ms from maildrop_lease',
  )
  assert.ok(rows[0]!.left_ms < 10_000, `locked for another ${rows[0]!.left_ms} ms`)
  await passTime(-8_000) // so that the lock outlives the next login, however slow the machine is
  await assert.rejects(WireClient.login(surviving.pop3sPort), /^Error: -ERR \[IN-USE\]/)
  await passTime(18_000)
  await using client = await WireClient.login(surviving.pop3sPort)
  assert.equal(await client.say('STAT'), '+OK 0 0')
})

test('a gateway that is cut off from Postgres loses its lock in time, and then removes nothing', async () => {
  const { host, pathname } = new URL(stack.url)
  await using proxy = await openCuttableProxy(`tcp://${host}`)
  const cutOff = Object.assign(new URL(stack.url), { host: `127.0.0.1:${proxy.port}`, pathname })
  await using lonely = await startGateway(cutOff.href)
  await using other = await startGateway(stack.url)
  await using stale = await WireClient.login(lonely.pop3sPort)
  proxy.refuse()
  proxy.cut()
  await passTime(18_000)
  await using client = await WireClient.login(other.pop3sPort)
  assert.equal(await client.say('STAT'), '+OK 0 0')
  await proxy.accept()
  // The next renewal finds out, and ends the session without a word.
  assert.equal(await stale.rest(), '')
  await eventually(async () => {
    const { rowCount } = await stack.database.query('select from maildrop_lease')
    return rowCount === 1
  })
  assert.equal(await client.say('QUIT'), '+OK Bye')
})
