// The schema is brought up to date once, however many processes start together.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, type Log } from '@sekimori/runtime/log'
import { createEmptyDatabase } from '@sekimori/testing/test-database'
import pg from 'pg'
import { migrate } from './migrate.ts'

test('ten processes that start at the same time apply each migration once, and all find it applied', async () => {
  await using empty = await createEmptyDatabase()
  const applied: unknown[] = []
  const log = Object.assign(createLog('test', 'silent'), { info: (facts: unknown) => applied.push(facts) }) as Log
  await Promise.all(Array.from({ length: 10 }, () => migrate(empty.url, log)))
  assert.equal(applied.length, 1)
  const client = new pg.Client({ connectionString: empty.url })
  await client.connect()
  const { rows } = await client.query('select name, count(*)::int as times from migration group by name')
  const { rowCount } = await client.query("select from pg_locks where locktype = 'advisory' and granted")
  await client.end()
  assert.ok(rows.length > 0 && rows.every(({ times }) => times === 1))
  assert.equal(rowCount, 0)
})

test('a migration that comes later is applied, whatever its number', async () => {
  await using empty = await createEmptyDatabase()
  const log = createLog('test', 'silent')
  await migrate(empty.url, log)
  const client = new pg.Client({ connectionString: empty.url })
  await client.connect()
  try {
    await client.query('drop table signature_status')
    await client.query(`delete from migration where name = '0004_signatures'`)
    await migrate(empty.url, log)
    assert.equal((await client.query('select from signature_status')).rowCount, 0)
  } finally {
    await client.end()
  }
})
