// DKIM keys from state to state on a real Postgres, with several replicas at the same time, and under a new master key.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { listDkimKeys, openSigningKeys } from './dkim-key.ts'
import { resealDkimKeys } from './dkim-key-creation.ts'
import { activateKey, advanceKeys, prepareRotation, retireKey } from './dkim-key-life.ts'
import { claimLooks, recordLook } from './dkim-key-look.ts'
import { createDomain } from './domain-admin.ts'
import { readMasterKeys } from './seal.ts'

const masterKey = randomBytes(32)
const POLICY = { rotateAfterMs: 1_000, settleMs: 1_000, retireAfterMs: 1_000 }
const later = (ms: number) => new Date(Date.now() + ms)
let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

async function newDomain(name: string): Promise<string> {
  await createDomain(stack.database, name, masterKey)
  return name
}

async function keysOf(domain: string): Promise<string[]> {
  const keys = await listDkimKeys(stack.database, domain)
  return keys.map(({ algorithm, state }) => `${algorithm.split('-')[0]} ${state}`).sort()
}

async function lookAtAll(now: Date, shown: 'matches' | 'missing' = 'matches'): Promise<void> {
  for (const { id } of await claimLooks(stack.database, now, 1_000))
    await recordLook(stack.database, id, { shown, negativeTtlSeconds: 0 }, now)
}

test('replicas that rotate at the same time make one key of each algorithm', async () => {
  const domain = await newDomain('rotated.test')
  await using other = await stack.openAnother()
  await lookAtAll(later(0))
  const replicas = [stack.database, other, stack.database, other]
  const taken = await Promise.all(replicas.map((r) => advanceKeys(r, domain, masterKey, POLICY, later(5_000))))
  assert.deepEqual(
    taken
      .flat()
      .map(({ kind }) => kind)
      .sort(),
    ['create', 'create'],
  )
  assert.deepEqual(await keysOf(domain), ['ed25519 active', 'ed25519 pending', 'rsa active', 'rsa pending'])
  await Promise.all([prepareRotation(other, domain, masterKey), prepareRotation(stack.database, domain, masterKey)])
  assert.equal((await keysOf(domain)).length, 4)
  assert.equal(new Set((await listDkimKeys(stack.database, domain)).map(({ selector }) => selector)).size, 4)
})

test('each key is looked for by one replica at a time', async () => {
  await newDomain('looked-for.test')
  await using other = await stack.openAnother()
  const now = later(10 * 86_400_000)
  const claims = await Promise.all([stack.database, other, other].map((replica) => claimLooks(replica, now, 1_000)))
  const ids = claims.flat().map(({ id }) => id)
  assert.ok(ids.length >= 2)
  assert.equal(new Set(ids).size, ids.length)
  assert.deepEqual(await claimLooks(other, later(10 * 86_400_000 + 60_000), 1_000), [], 'the lease still holds')
  assert.equal((await claimLooks(other, later(11 * 86_400_000), 1_000)).length, ids.length, 'the lease is over')
})

test('the only key that signs stays, a retired one never signs again, and its private key is gone', async () => {
  const domain = await newDomain('ended.test')
  const keys = await listDkimKeys(stack.database, domain)
  const [ed, rsa] = keys.map(({ selector }) => selector) as [string, string]
  assert.equal((await retireKey(stack.database, domain, ed)).kind, 'changed')
  assert.equal((await retireKey(stack.database, domain, rsa)).kind, 'last')
  assert.equal((await retireKey(stack.database, domain, 'no')).kind, 'unknown')
  assert.deepEqual(await keysOf(domain), ['ed25519 retiring', 'rsa active'])
  assert.equal((await retireKey(stack.database, domain, ed)).kind, 'changed')
  assert.deepEqual(await keysOf(domain), ['ed25519 retired', 'rsa active'])
  assert.deepEqual(await activateKey(stack.database, domain, ed), { kind: 'wrong-state', state: 'retired' })
  const { rows } = await stack.database.query(
    'select sealed_private_key from dkim_key where selector = $1 and domain = $2',
    [ed, domain],
  )
  assert.deepEqual(rows, [{ sealed_private_key: null }])
  assert.deepEqual(
    (await openSigningKeys(stack.database, masterKey)(domain)).map(({ selector }) => selector),
    [rsa],
  )
})

test('under a new master key all is sealed anew, by several processes at once, and the old one may go', async () => {
  await newDomain('resealed.test')
  const [next, lostKey] = [randomBytes(32), randomBytes(32)]
  await createDomain(stack.database, 'lost.test', lostKey)
  const both = readMasterKeys(`${next.toString('base64')},${masterKey.toString('base64')}`)
  assert.equal((await openSigningKeys(stack.database, both)('resealed.test')).length, 2)
  await using other = await stack.openAnother()
  const outcomes = await Promise.all([resealDkimKeys(stack.database, both), resealDkimKeys(other, both)])
  const { rows } = await stack.database.query<{ count: number }>(
    "select count(*)::int from dkim_key where sealed_private_key is not null and domain <> 'lost.test'",
  )
  assert.equal(outcomes[0]!.sealed + outcomes[1]!.sealed, rows[0]!.count)
  assert.equal(outcomes[0]!.lost.length, 2)
  assert.equal((await openSigningKeys(stack.database, next)('resealed.test')).length, 2)
  await assert.rejects(openSigningKeys(stack.database, masterKey)('resealed.test'), /dkim-master-key is away/)
  assert.equal((await openSigningKeys(stack.database, lostKey)('lost.test')).length, 2, 'left as it was')
})
