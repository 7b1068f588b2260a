// Removing accounts on a real Postgres: their mail, and the lists that they are on.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { deleteAccount } from './account-removal.ts'
import { createList, findList } from './list-admin.ts'

let stack: TestDatabase
let alice: string
let bob: string

before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test')")
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await stack.database.query('delete from mailing_list')
  await stack.database.query('delete from account')
  await stack.database.query('delete from content_use')
  await stack.database.query('delete from content')
  ;[alice, bob] = [await addAccount('alice'), await addAccount('bob')]
})

test('a removed account takes its maildrop along, and the contents that nobody else refers to', async () => {
  await deliver('only-hers', alice)
  await deliver('shared', alice, bob)
  await deliver('held', alice)
  await stack.database.query("insert into content_use (content_id, holder) values ('held', 'a leg in flight')")
  assert.deepEqual(await deleteAccount(stack.database, 'alice@example.test'), { kind: 'deleted' })
  assert.deepEqual(await contents(), ['held', 'shared'])
  assert.deepEqual(await deleteAccount(stack.database, 'alice@example.test'), { kind: 'unknown' })
})

test('the last member of a list stays, because mail to the list would be lost', async () => {
  await makeList('both', 'alice', 'bob')
  await makeList('hers', 'alice')
  const removal = await deleteAccount(stack.database, 'alice@example.test')
  assert.deepEqual(removal, { kind: 'last-member', lists: ['hers@example.test'] })
  assert.deepEqual(await deleteAccount(stack.database, 'bob@example.test'), { kind: 'deleted' })
  assert.deepEqual((await findList(stack.database, 'both@example.test'))?.members, ['alice@example.test'])
})

test('of two members who are removed at the same time one stays', async () => {
  for (let i = 0; i < 10; i++) {
    await addAccount(`one-${i}`)
    await addAccount(`two-${i}`)
    await makeList(`list-${i}`, `one-${i}`, `two-${i}`)
    const removals = await Promise.all([`one-${i}`, `two-${i}`].map((name) => remove(name)))
    assert.deepEqual(removals.sort(), ['deleted', 'last-member'])
  }
})

const remove = async (name: string) => (await deleteAccount(stack.database, `${name}@example.test`)).kind

async function addAccount(name: string): Promise<string> {
  const { rows } = await stack.database.query<{ id: string }>(
    "insert into account (address, domain, password_hash) values ($1, 'example.test', '') returning id",
    [`${name}@example.test`],
  )
  return rows[0]!.id
}

async function makeList(name: string, ...members: string[]): Promise<void> {
  const list = { address: `${name}@example.test`, name, members: members.map((member) => `${member}@example.test`) }
  assert.equal((await createList(stack.database, list)).kind, 'created')
}

async function deliver(contentId: string, ...accountIds: string[]): Promise<void> {
  await stack.database.query("insert into content (id, size_bytes, bytes) values ($1, 1, 'x')", [contentId])
  await stack.database.query(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes)
     select unnest($1::bigint[]), 'q', $2, '', 1`,
    [accountIds, contentId],
  )
}

async function contents(): Promise<string[]> {
  const { rows } = await stack.database.query<{ id: string }>('select id from content order by id')
  return rows.map((row) => row.id)
}
