// Making, listing and removing domains on a real Postgres.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { listDkimKeys, openSigningKeys } from './dkim-key.ts'
import { claimAddress, createDomain, deleteDomain, findDomain, listDomains } from './domain-admin.ts'
import { createList } from './list-admin.ts'

const masterKey = randomBytes(32)
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await stack.database.query('delete from mailing_list')
  await stack.database.query('delete from account')
  await stack.database.query('delete from domain')
})

const addDomain = (name: string) => stack.database.query('insert into domain (name) values ($1)', [name])

test('a new domain has an RSA and an Ed25519 key that sign from now on', async () => {
  const creation = await createDomain(stack.database, 'example.test', masterKey)
  assert.equal(creation.kind, 'created')
  const keys = await openSigningKeys(stack.database, masterKey)('example.test')
  assert.deepEqual(keys.map((key) => key.algorithm).sort(), ['ed25519-sha256', 'rsa-sha256'])
})

test('a domain is made once', async () => {
  await createDomain(stack.database, 'example.test', masterKey)
  const kinds = await Promise.all([1, 2].map(() => createDomain(stack.database, 'example.test', masterKey)))
  assert.deepEqual(kinds, [{ kind: 'exists' }, { kind: 'exists' }])
  assert.equal((await listDkimKeys(stack.database, 'example.test')).length, 2)
})

test('when its keys can not be made there is no domain either', async () => {
  await assert.rejects(createDomain(stack.database, 'example.test', randomBytes(5)))
  assert.equal(await findDomain(stack.database, 'example.test'), undefined)
})

test('domains are listed by name, page after page', async () => {
  for (const name of ['c.test', 'a.test', 'b.test']) await addDomain(name)
  const first = await listDomains(stack.database, { limit: 2 })
  assert.deepEqual(
    first.items.map(({ name }) => name),
    ['a.test', 'b.test'],
  )
  const second = await listDomains(stack.database, { limit: 2, after: first.next })
  assert.deepEqual(
    second.items.map(({ name }) => name),
    ['c.test'],
  )
  assert.equal(second.next, undefined)
})

test('a domain with accounts or lists stays, and says how many', async () => {
  await addDomain('example.test')
  await addAccount('alice@example.test')
  await stack.database.query("insert into mailing_list values ('all@example.test', 'example.test', 'All')")
  assert.deepEqual(await deleteDomain(stack.database, 'example.test'), { kind: 'in-use', accounts: 1, lists: 1 })
  assert.notEqual(await findDomain(stack.database, 'example.test'), undefined)
})

test('a removed domain takes its keys along', async () => {
  await createDomain(stack.database, 'example.test', masterKey)
  assert.deepEqual(await deleteDomain(stack.database, 'example.test'), { kind: 'deleted' })
  assert.deepEqual(await listDkimKeys(stack.database, 'example.test'), [])
  assert.deepEqual(await deleteDomain(stack.database, 'example.test'), { kind: 'unknown' })
})

test('a domain is not removed under an account that is just being made', async () => {
  await addDomain('example.test')
  let removal: ReturnType<typeof deleteDomain> | undefined
  await stack.database.transaction(async (client) => {
    assert.equal(await claimAddress(client, 'alice@example.test', 'example.test'), 'free')
    removal = deleteDomain(stack.database, 'example.test')
    await Promise.race([removal, untilSomebodyWaits()])
    await client.query(INSERT_ACCOUNT, ['alice@example.test', 'example.test'])
  })
  assert.deepEqual(await removal, { kind: 'in-use', accounts: 1, lists: 0 })
})

test('an address that is just being given away is not given to somebody else', async () => {
  await addDomain('example.test')
  await addAccount('bob@example.test')
  const list = { address: 'wanted@example.test', name: 'Wanted', members: ['bob@example.test'] }
  let creation: ReturnType<typeof createList> | undefined
  await stack.database.transaction(async (client) => {
    assert.equal(await claimAddress(client, list.address, 'example.test'), 'free')
    creation = createList(stack.database, list)
    await Promise.race([creation, untilSomebodyWaits()])
    await client.query(INSERT_ACCOUNT, [list.address, 'example.test'])
  })
  assert.deepEqual(await creation, { kind: 'refused', because: 'account' })
})

const INSERT_ACCOUNT = "insert into account (address, domain, password_hash) values ($1, $2, '')"

async function addAccount(address: string): Promise<void> {
  const domain = address.split('@')[1]
  await stack.database.query(INSERT_ACCOUNT, [address, domain])
}

async function untilSomebodyWaits(): Promise<void> {
  await eventually(async () => {
    const { rowCount } = await stack.database.query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    return rowCount === 1
  })
}
