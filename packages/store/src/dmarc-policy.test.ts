// A domain records DMARC unless it was told to enforce it, and a change counts at once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { openDmarcPolicies, setDmarcPolicy } from './dmarc-policy.ts'
import { findDomain } from './domain-admin.ts'

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test')")
})
after(() => stack[Symbol.asyncDispose]())

test('a domain records unless it was told to enforce, and a change is heard', async () => {
  const policyOf = openDmarcPolicies(stack.database)
  assert.equal(await policyOf('example.test'), 'record')
  assert.equal(await policyOf('other.test'), 'record')
  assert.equal(await setDmarcPolicy(stack.database, 'example.test', 'enforce'), true)
  await eventually(async () => (await policyOf('example.test')) === 'enforce')
  assert.equal((await findDomain(stack.database, 'example.test'))?.dmarcPolicy, 'enforce')
  assert.equal(await setDmarcPolicy(stack.database, 'other.test', 'enforce'), false)
})
