// The lock on a maildrop, on a real Postgres: exclusive, prolonged in batches, free again when its holder is gone.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { acquireLease, type Lease, lockLease, releaseLease, renewLeases } from './maildrop-lease.ts'

const LIFE_MS = 9_000
let stack: TestDatabase
let [bob, carol] = [0, 0]

before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test')")
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await stack.database.query('delete from account')
  const { rows } = await stack.database.query<{ id: string }>(
    `insert into account (address, domain, password_hash)
     values ('bob@example.test', 'example.test', ''), ('carol@example.test', 'example.test', '') returning id`,
  )
  ;[bob, carol] = rows.map(({ id }) => Number(id)) as [number, number]
})

const lease = (accountId: number, holder: string): Lease => ({ accountId, holder })
const secondsLeft = async (accountId: number) => {
  const { rows } = await stack.database.query<{ left: number }>(
    'select extract(epoch from expires_at - now())::float8 as left from maildrop_lease where account_id = $1',
    [accountId],
  )
  return rows[0]?.left
}
const expire = (accountId: number) =>
  stack.database.query("update maildrop_lease set expires_at = now() - interval '1 ms' where account_id = $1", [
    accountId,
  ])

test('of many sessions that want a maildrop at the same time, one gets it', async () => {
  await using other = await stack.openAnother()
  const wishes = Array.from({ length: 20 }, (_, index) =>
    acquireLease(index % 2 === 0 ? stack.database : other, lease(bob, `holder ${index}`), LIFE_MS),
  )
  assert.equal((await Promise.all(wishes)).filter(Boolean).length, 1)
})

test('a lock keeps nobody from another maildrop, and is free again when it is given back', async () => {
  const { database } = stack
  assert.equal(await acquireLease(database, lease(bob, 'a'), LIFE_MS), true)
  assert.equal(await acquireLease(database, lease(carol, 'b'), LIFE_MS), true)
  assert.equal(await acquireLease(database, lease(bob, 'b'), LIFE_MS), false)
  await releaseLease(database, lease(bob, 'b'))
  assert.equal(await acquireLease(database, lease(bob, 'b'), LIFE_MS), false, 'only its holder can give it back')
  await releaseLease(database, lease(bob, 'a'))
  assert.equal(await acquireLease(database, lease(bob, 'b'), LIFE_MS), true)
})

test('the lock of a crashed holder can be taken over when it has expired, within 10 s', async () => {
  const { database } = stack
  await acquireLease(database, lease(bob, 'crashed'), LIFE_MS)
  const left = await secondsLeft(bob)
  assert.ok(left !== undefined && left > 0 && left < 10, `${left} s`)
  await expire(bob)
  assert.equal(await acquireLease(database, lease(bob, 'next'), LIFE_MS), true)
  assert.equal(await acquireLease(database, lease(bob, 'third'), LIFE_MS), false)
})

test('locks are prolonged together, and the lost one is told apart', async () => {
  const { database } = stack
  const [kept, lost] = [lease(bob, 'kept'), lease(carol, 'lost')]
  await acquireLease(database, kept, 60_000)
  await acquireLease(database, lost, LIFE_MS)
  await expire(carol)
  await acquireLease(database, lease(carol, 'thief'), 60_000)
  assert.deepEqual(await renewLeases(database, [kept, lost], 3_600_000), new Set(['kept']))
  assert.ok((await secondsLeft(bob))! > 3_000)
  assert.ok((await secondsLeft(carol))! <= 60, "the other holder's lock is not prolonged")
})

test('a lock that expired while nobody wanted it is still its holder\u2019s', async () => {
  const { database } = stack
  const own = lease(bob, 'slow')
  await acquireLease(database, own, LIFE_MS)
  await expire(bob)
  assert.deepEqual(await renewLeases(database, [own], LIFE_MS), new Set(['slow']))
  assert.equal(await acquireLease(database, lease(bob, 'next'), LIFE_MS), false)
})

test('while a removal is under way the lock can not be taken over', async () => {
  const { database } = stack
  const own = lease(bob, 'own')
  await acquireLease(database, own, LIFE_MS)
  await expire(bob)
  let order = ''
  const { promise: taken, resolve } = Promise.withResolvers<boolean>()
  await database.transaction(async (client) => {
    assert.equal(await lockLease(client, lease(bob, 'other')), false)
    assert.equal(await lockLease(client, own), true)
    void acquireLease(database, lease(bob, 'next'), LIFE_MS).then((isTaken) => {
      order += 'taken '
      resolve(isTaken)
    })
    await eventually(async () => {
      const { rowCount } = await stack.database.query(
        "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
      )
      return rowCount === 1
    })
    order += 'removed '
  })
  assert.equal(await taken, true)
  assert.equal(order, 'removed taken ')
})
