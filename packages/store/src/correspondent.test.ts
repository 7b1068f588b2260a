// The domains that an account knows: noted once a day, read with the account, forgotten in time.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createLog } from '@sekimori/runtime/log'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { ContactNotebook } from './contact-notebook.ts'
import { Acquaintances, forgetContacts, noteContacts } from './correspondent.ts'

const NOW = new Date()
let stack: TestDatabase
let bob: number
before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test')")
  const { rows } = await stack.database.query<{ id: string }>(
    `insert into account (address, domain, password_hash, locale) values ('bob@example.test', 'example.test', '', 'en'),
       ('many@example.test', 'example.test', '', 'ja') returning id`,
  )
  bob = Number(rows[0]!.id)
})
after(() => stack[Symbol.asyncDispose]())

async function knownTo(accountId: number): Promise<string[]> {
  const known = (await new Acquaintances(stack.database).of(accountId))?.known ?? []
  return known.map(({ domain, isWrittenTo }) => `${isWrittenTo ? 'to' : 'from'} ${domain}`)
}

test('contacts are noted by id or address; having written to a domain stays', async () => {
  await noteContacts(stack.database, [{ account: bob, domain: 'a.test', isWrittenTo: false, at: NOW }])
  await noteContacts(stack.database, [
    { account: 'bob@example.test', domain: 'b.test', isWrittenTo: true, at: NOW },
    { account: bob, domain: 'b.test', isWrittenTo: false, at: NOW },
    { account: 'gone@example.test', domain: 'c.test', isWrittenTo: true, at: NOW },
    { account: 999_999, domain: 'c.test', isWrittenTo: true, at: NOW },
  ])
  await noteContacts(stack.database, [{ account: bob, domain: 'b.test', isWrittenTo: false, at: NOW }])
  assert.deepEqual(await knownTo(bob), ['from a.test', 'to b.test'])
  const acquaintance = await new Acquaintances(stack.database).of(bob)
  assert.deepEqual([acquaintance?.locale, acquaintance?.domain], ['en', 'example.test'])
  assert.equal(await new Acquaintances(stack.database).of(999_999), undefined)
})

test('which of two domains was known first is kept, also when they are written together', async () => {
  const at = (ms: number) => new Date(NOW.getTime() + ms)
  await noteContacts(stack.database, [
    { account: bob, domain: 'late.test', isWrittenTo: false, at: at(20) },
    { account: bob, domain: 'early.test', isWrittenTo: false, at: at(10) },
  ])
  await noteContacts(stack.database, [{ account: bob, domain: 'early.test', isWrittenTo: false, at: at(30) }])
  assert.deepEqual((await knownTo(bob)).slice(-2), ['from early.test', 'from late.test'])
})

test('a pair is written once, many in one statement, and what waits is written at the end', async () => {
  const statements: unknown[] = []
  const database = { query: (async (text: unknown) => void statements.push(text)) as never }
  const told: string[] = []
  {
    await using notebook = new ContactNotebook(database, createLog('test', 'silent'), ({ domain }) => told.push(domain))
    for (let round = 0; round < 50; round++)
      for (const domain of ['x.test', 'y.test']) notebook.note({ account: bob, domain, isWrittenTo: false })
  }
  assert.equal(statements.length, 1)
  assert.deepEqual(told, ['x.test', 'y.test'])
})

test('what was not seen for long is forgotten, and of an account all but the last 500', async () => {
  const many = Array.from({ length: 600 }, (_, at) => ({
    account: 'many@example.test',
    domain: `d${at}.test`,
    isWrittenTo: false,
    at: NOW,
  }))
  await noteContacts(stack.database, many)
  await noteContacts(stack.database, [
    { account: 'many@example.test', domain: 'friend.test', isWrittenTo: true, at: NOW },
  ])
  await forgetContacts(stack.database, 86_400_000)
  const kept = await knownTo(bob + 1)
  assert.equal(kept.length, 500)
  assert.ok(kept.includes('to friend.test'))
  assert.equal((await knownTo(bob)).length, 4)
  await forgetContacts(stack.database, 86_400_000, new Date(Date.now() + 2 * 86_400_000))
  assert.deepEqual(await knownTo(bob), [])
})
