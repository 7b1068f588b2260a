// The record of who accessed the quarantine, on a real Postgres.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { listAccesses, recordAccess } from './quarantine-access.ts'

let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

test('accesses are listed newest first, by mail and in pages, and can not be changed', async () => {
  const { database } = stack
  const access = (action: 'list' | 'show', queueId?: string) =>
    recordAccess(database, { apiKeyId: 'admin-1', action, ...(queueId === undefined ? {} : { queueId }), detail: {} })
  await access('list')
  await access('show', 'a')
  await access('show', 'b')
  const first = await listAccesses(database, undefined, { limit: 2 })
  assert.deepEqual(
    first.items.map(({ queueId }) => queueId),
    ['b', 'a'],
  )
  const rest = await listAccesses(database, undefined, { limit: 2, after: first.next })
  assert.deepEqual(
    rest.items.map(({ action, queueId }) => [action, queueId]),
    [['list', undefined]],
  )
  const [item, ...others] = (await listAccesses(database, 'a', { limit: 2 })).items
  assert.deepEqual(others, [])
  const { accessedAt, ...known } = item!
  assert.deepEqual(known, { apiKeyId: 'admin-1', action: 'show', queueId: 'a', detail: {} })
  assert.ok(Math.abs(Date.parse(accessedAt) - Date.now()) < 60_000)
  for (const change of ['delete from quarantine_access', `update quarantine_access set api_key_id = 'x'`])
    await assert.rejects(database.query(change), /never changed/)
})
