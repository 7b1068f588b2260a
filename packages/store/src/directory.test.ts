// The directory on a real Postgres: what an address is to us, and that a change is known to every replica.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { createAccount, setVirusWarning } from './account-admin.ts'
import { listMembers, noticePreference, openDirectory } from './directory.ts'
import { createList } from './list-admin.ts'

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test'), ('xn--bcher-kva.example')")
  for (const address of ['alice@example.test', 'bob@example.test', 'carol@xn--bcher-kva.example'])
    await createAccount(stack.database, { address, password: 'x', locale: 'en' })
  const members = ['bob@example.test', 'carol@xn--bcher-kva.example']
  await createList(stack.database, { address: 'staff@example.test', name: 'Staff', members })
})
after(() => stack[Symbol.asyncDispose]())

test('an address is an account, a list, unknown here, or foreign', async () => {
  const { lookup } = openDirectory(stack.database)
  const alice = await lookup('Alice@Example.TEST')
  assert.equal(alice.kind === 'account' && alice.address, 'alice@example.test')
  assert.equal((await lookup('carol@bücher.example')).kind, 'account')
  assert.deepEqual(await lookup('staff@example.test'), { kind: 'list', address: 'staff@example.test', name: 'Staff' })
  assert.deepEqual(await lookup('nobody@example.test'), { kind: 'unknown' })
  for (const foreign of ['alice@sub.example.test', 'alice@example.test.evil.test', 'alice', '', '@', 'a@'])
    assert.deepEqual(await lookup(foreign), { kind: 'foreign' }, foreign)
})

test('a change made by one replica is known to the others', async () => {
  await using other = await stack.openAnother()
  const { lookup } = openDirectory(other)
  assert.equal((await lookup('new@example.test')).kind, 'unknown')
  assert.equal((await lookup('dave@new.test')).kind, 'foreign')
  await createAccount(stack.database, { address: 'new@example.test', password: 'x', locale: 'ja' })
  await stack.database.query("insert into domain (name) values ('new.test')")
  await eventually(async () => (await lookup('new@example.test')).kind === 'account')
  await eventually(async () => (await lookup('dave@new.test')).kind === 'unknown')
})

test('a list has its members, and an account its wishes about notices', async () => {
  assert.deepEqual(
    (await listMembers(stack.database, 'staff@example.test')).map(({ address }) => address),
    ['bob@example.test', 'carol@xn--bcher-kva.example'],
  )
  assert.deepEqual(await listMembers(stack.database, 'nolist@example.test'), [])
  assert.deepEqual(await noticePreference(stack.database, 'bob@example.test'), { locale: 'en', hasVirusWarning: true })
  await setVirusWarning(stack.database, 'bob@example.test', false)
  assert.deepEqual(await noticePreference(stack.database, 'bob@example.test'), { locale: 'en', hasVirusWarning: false })
  assert.equal(await noticePreference(stack.database, 'nobody@example.test'), undefined)
})
