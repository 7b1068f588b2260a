import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestDatabase } from '@sekimori/testing/test-database'
import { greylistAge } from './greylist.ts'

test('the age of three that belong together grows, and is known to every replica', async () => {
  await using stack = await createTestDatabase()
  const { database } = stack
  assert.equal(await greylistAge(database, '192.0.2.1', 'a@b.test', 'c@d.test'), 0)
  await database.query("update greylist set first_seen_at = now() - interval '90 seconds'")
  const age = await greylistAge(database, '192.0.2.1', 'a@b.test', 'c@d.test')
  assert.ok(age >= 90 && age < 600, `${age}`)
  assert.equal(await greylistAge(database, '192.0.2.1', 'a@b.test', 'other@d.test'), 0)
})
