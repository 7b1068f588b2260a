// Making, changing and removing mailing lists on a real Postgres.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { listMembers, openDirectory } from './directory.ts'
import { createList, deleteList, findList, listLists, replaceListMembers } from './list-admin.ts'

const address = 'staff@example.test'
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test'), ('other.test')")
  for (const name of ['alice', 'bob', 'carol'])
    await stack.database.query(
      "insert into account (address, domain, password_hash) values ($1 || '@example.test', 'example.test', '')",
      [name],
    )
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await stack.database.query('delete from mailing_list')
})

const at = (...names: string[]) => names.map((name) => `${name}@example.test`)
const make = (listAddress: string, ...members: string[]) =>
  createList(stack.database, { address: listAddress, name: 'Staff', members })

test('a list reaches its members, each once', async () => {
  const creation = await make(address, ...at('bob', 'carol', 'bob'))
  assert.equal(creation.kind, 'created')
  const members = await listMembers(stack.database, address)
  assert.deepEqual(
    members.map((member) => member.address),
    at('bob', 'carol'),
  )
  assert.deepEqual(await openDirectory(stack.database).lookup(address), { kind: 'list', address, name: 'Staff' })
})

test('a list is not made with members who are not accounts here, and they are named', async () => {
  const creation = await make(address, ...at('bob', 'nobody'), 'x@elsewhere.test')
  assert.deepEqual(creation, { kind: 'unknown-members', addresses: ['nobody@example.test', 'x@elsewhere.test'] })
  assert.equal(await findList(stack.database, address), undefined)
})

test('a list needs a domain that is here and an address that is free', async () => {
  assert.deepEqual(await make('all@nowhere.test', ...at('bob')), { kind: 'refused', because: 'no-domain' })
  assert.deepEqual(await make('alice@example.test', ...at('bob')), { kind: 'refused', because: 'account' })
  await make(address, ...at('bob'))
  assert.deepEqual(await make(address, ...at('bob')), { kind: 'refused', because: 'list' })
})

test('new members replace the old ones, all or none', async () => {
  await make(address, ...at('alice', 'bob'))
  const replacement = await replaceListMembers(stack.database, address, at('bob', 'carol'))
  assert.equal(replacement.kind, 'replaced')
  assert.deepEqual((await findList(stack.database, address))?.members, at('bob', 'carol'))
  const refusal = await replaceListMembers(stack.database, address, at('alice', 'nobody'))
  assert.deepEqual(refusal, { kind: 'unknown-members', addresses: at('nobody') })
  assert.deepEqual((await findList(stack.database, address))?.members, at('bob', 'carol'))
  assert.deepEqual(await replaceListMembers(stack.database, 'no@example.test', at('bob')), { kind: 'unknown' })
})

test('lists are listed with the number of members, of one domain or of all', async () => {
  await make('b@example.test', ...at('alice', 'bob'))
  await make('a@other.test', ...at('alice'))
  const first = await listLists(stack.database, undefined, { limit: 1 })
  const second = await listLists(stack.database, undefined, { limit: 1, after: first.next })
  const counts = [...first.items, ...second.items].map((list) => [list.address, list.memberCount])
  assert.deepEqual(counts, [
    ['a@other.test', 1],
    ['b@example.test', 2],
  ])
  assert.equal(second.next, undefined)
  assert.equal((await listLists(stack.database, 'example.test', { limit: 5 })).items.length, 1)
})

test('a removed list leaves its members as accounts', async () => {
  await make(address, ...at('alice'))
  assert.equal(await deleteList(stack.database, address), true)
  assert.equal(await deleteList(stack.database, address), false)
  const directory = openDirectory(stack.database)
  assert.equal((await directory.lookup('alice@example.test')).kind, 'account')
  assert.equal((await directory.lookup(address)).kind, 'unknown')
})
