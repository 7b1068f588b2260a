// A database from before the quarantine was sealed: what lay in it in plain is gone, and everything else stays.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createTestDatabase } from '@sekimori/testing/test-database'

const migration = (name: string) => readFileSync(new URL(`../migrations/${name}.sql`, import.meta.url), 'utf8')

test('content that was quarantined in plain goes, unless somebody else has it; the metadata stays', async () => {
  await using stack = await createTestDatabase()
  await stack.database.transaction(async (client) => {
    await client.query('create schema earlier; set local search_path to earlier, pg_temp')
    await client.query(migration('0001_first'))
    await client.query(
      `insert into content (id, size_bytes, bytes) values ('a', 1, 'x'), ('shared', 1, 'x'), ('other', 1, 'x')`,
    )
    await client.query(`insert into content_use values ('shared', 'a job')`)
    await client.query(
      `insert into quarantine (queue_id, direction, signature, engine, envelope, session, summary, size_bytes, content_id)
       values ('q1', 'inbound', 's', 'e', '{}', '{}', '{}', 1, 'a'), ('q2', 'inbound', 's', 'e', '{}', '{}', '{}', 1, 'shared')`,
    )
    await client.query(migration('0002_quarantine'))
    const left = await client.query<{ id: string }>('select id from content order by id')
    assert.deepEqual(left.rows, [{ id: 'other' }, { id: 'shared' }])
    const records = await client.query('select queue_id, kind, state from quarantine order by queue_id')
    assert.deepEqual(records.rows, [
      { queue_id: 'q1', kind: 'infected', state: 'expired' },
      { queue_id: 'q2', kind: 'infected', state: 'expired' },
    ])
  })
})
