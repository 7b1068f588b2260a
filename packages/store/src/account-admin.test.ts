// Making, changing and listing accounts on a real Postgres.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { openLogin } from '@sekimori/login/login'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { createAccount, findAccount, listAccounts, setVirusWarning, updateAccount } from './account-admin.ts'
import type { Database } from './database.ts'
import { noticePreference } from './directory.ts'
import { createList } from './list-admin.ts'

let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test'), ('other.test')")
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await stack.database.query('delete from mailing_list')
  await stack.database.query('delete from account')
})

const add = (address: string, password = 'correct horse') =>
  createAccount(stack.database, { address, password, locale: 'ja' })

test('a new account can log in, warned of viruses, in the language asked for', async () => {
  const creation = await createAccount(stack.database, {
    address: 'alice@example.test',
    password: 'correct horse',
    locale: 'en',
  })
  assert.equal(creation.kind, 'created')
  const login = await loginTo(stack.database)
  assert.equal(await login('alice@example.test', 'correct horse'), true)
  assert.deepEqual(await noticePreference(stack.database, 'alice@example.test'), {
    locale: 'en',
    hasVirusWarning: true,
  })
})

test('an account needs a domain that is here and an address that is free', async () => {
  assert.deepEqual(await add('alice@nowhere.test'), { kind: 'refused', because: 'no-domain' })
  await add('alice@example.test')
  assert.deepEqual(await add('alice@example.test'), { kind: 'refused', because: 'account' })
  await createList(stack.database, { address: 'all@example.test', name: 'All', members: ['alice@example.test'] })
  assert.deepEqual(await add('all@example.test'), { kind: 'refused', because: 'list' })
})

test('an address wanted by an account and a list at the same time goes to one of them', async () => {
  await add('alice@example.test')
  for (let i = 0; i < 10; i++) {
    const address = `wanted-${i}@example.test`
    const kinds = await Promise.all([
      add(address).then(({ kind }) => kind),
      createList(stack.database, { address, name: 'Wanted', members: ['alice@example.test'] }).then(({ kind }) => kind),
    ])
    assert.deepEqual(kinds.sort(), ['created', 'refused'])
  }
})

test('accounts are listed by address, of one domain or of all, page after page', async () => {
  for (const address of ['c@example.test', 'a@example.test', 'b@other.test', 'b@example.test']) await add(address)
  const addresses: string[][] = []
  let after: string[] | undefined
  do {
    const page = await listAccounts(stack.database, undefined, { limit: 3, after })
    addresses.push(page.items.map(({ address }) => address))
    after = page.next
  } while (after !== undefined && addresses.length < 10)
  assert.deepEqual(addresses, [['a@example.test', 'b@example.test', 'b@other.test'], ['c@example.test']])
  const others = await listAccounts(stack.database, 'other.test', { limit: 3 })
  assert.deepEqual(
    others.items.map(({ address }) => address),
    ['b@other.test'],
  )
})

test('a changed password counts at once on every replica, and changes nothing else', async () => {
  await add('alice@example.test', 'the old password')
  await using replica = await stack.openAnother()
  const login = await loginTo(replica)
  assert.ok(await login('alice@example.test', 'the old password'))
  await updateAccount(stack.database, 'alice@example.test', { password: 'the new password' })
  assert.ok(await login('alice@example.test', 'the new password'))
  const isRefused = async () => !(await login('alice@example.test', 'the old password'))
  await eventually(isRefused, { what: 'the old password to work no longer' })
  assert.equal((await findAccount(stack.database, 'alice@example.test'))?.locale, 'ja')
})

test('a changed language leaves the password as it was', async () => {
  await add('alice@example.test')
  assert.equal((await updateAccount(stack.database, 'alice@example.test', { locale: 'en' }))?.locale, 'en')
  const login = await loginTo(stack.database)
  assert.ok(await login('alice@example.test', 'correct horse'))
  assert.equal(await updateAccount(stack.database, 'bob@example.test', { locale: 'en' }), undefined)
})

test('S1-28 warnings are switched off and on for one account', async () => {
  await add('alice@example.test')
  await add('bob@example.test')
  const isWarned = async (address: string) => (await noticePreference(stack.database, address))?.hasVirusWarning
  assert.equal(await setVirusWarning(stack.database, 'alice@example.test', false), true)
  assert.deepEqual([await isWarned('alice@example.test'), await isWarned('bob@example.test')], [false, true])
  await setVirusWarning(stack.database, 'alice@example.test', true)
  assert.equal(await isWarned('alice@example.test'), true)
  assert.equal(await setVirusWarning(stack.database, 'nobody@example.test', false), false)
})

/** Whether a mail client gets in. */
async function loginTo(database: Database): Promise<(address: string, password: string) => Promise<boolean>> {
  const login = await openLogin(database)
  return async (address, password) =>
    (await login({ address, password, clientAddress: '192.0.2.1', service: 'pop3' })).kind === 'ok'
}
