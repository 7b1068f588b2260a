// What domains want done with mail that can't be checked, on a real Postgres.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { changeVirusPolicy, findVirusPolicy, openVirusPolicies } from './virus-policy.ts'

let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
  await stack.database.query(`insert into domain (name) values ('a.test'), ('b.test')`)
})
after(() => stack[Symbol.asyncDispose]())

const standard = { action: 'deliver', hasNotice: false }

test('unless told otherwise everything is delivered without a notice', async () => {
  const policy = await findVirusPolicy(stack.database, 'b.test')
  assert.deepEqual(policy, { encrypted: standard, depth: standard, size: standard, time: standard, damaged: standard })
  assert.deepEqual(await findVirusPolicy(stack.database, 'elsewhere.test'), policy)
})

test('a change changes what it names, in its domain only', async () => {
  await changeVirusPolicy(stack.database, 'a.test', { encrypted: { action: 'hold', hasNotice: true } })
  const policy = await changeVirusPolicy(stack.database, 'a.test', {
    encrypted: { action: 'refuse' },
    size: { hasNotice: true },
  })
  assert.deepEqual(policy?.encrypted, { action: 'refuse', hasNotice: true })
  assert.deepEqual(policy?.size, { action: 'deliver', hasNotice: true })
  assert.deepEqual(await findVirusPolicy(stack.database, 'a.test'), policy)
  assert.deepEqual((await findVirusPolicy(stack.database, 'b.test')).encrypted, standard)
  assert.equal(await changeVirusPolicy(stack.database, 'elsewhere.test', {}), undefined)
})

test('changes that meet are both kept', async () => {
  await using other = await stack.openAnother()
  let second: Promise<unknown> = Promise.resolve()
  await stack.database.transaction(async (client) => {
    await client.query(`select from domain where name = 'b.test' for update`)
    await client.query(`insert into virus_policy values ('b.test', 'time', 'deliver', true)`)
    second = changeVirusPolicy(other, 'b.test', { time: { action: 'hold' } })
    await eventually(async () => (await stack.database.query('select from pg_locks where not granted')).rowCount !== 0)
  })
  await second
  assert.deepEqual((await findVirusPolicy(stack.database, 'b.test')).time, { action: 'hold', hasNotice: true })
})

test('a replica that remembers the policy hears of its change', async () => {
  await using other = await stack.openAnother()
  const policies = openVirusPolicies(other)
  assert.equal((await policies('a.test')).depth.action, 'deliver')
  await changeVirusPolicy(stack.database, 'a.test', { depth: { action: 'hold' } })
  await eventually(async () => (await policies('a.test')).depth.action === 'hold')
})
