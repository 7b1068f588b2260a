// What remote delivery keeps about other domains: operators' decisions, MTA-STS policies, counts of TLS sessions.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { changeDestination, findDestination, forgetDestination, listDestinations } from './destination.ts'
import { findStsPolicy, keepStsPolicy } from './mta-sts-policy.ts'
import { addTlsResults } from './tls-result.ts'

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

test('a decision changes what it names and leaves the rest', async () => {
  const { database } = stack
  assert.equal(await findDestination(database, 'a.test'), undefined)
  await changeDestination(database, 'a.test', { tls: 'encrypted' })
  const paused = await changeDestination(database, 'a.test', { isPaused: true, pauseReason: 'full' })
  assert.deepEqual([paused.tls, paused.isPaused, paused.pauseReason], ['encrypted', true, 'full'])
  const again = await changeDestination(database, 'a.test', { isPaused: true })
  assert.deepEqual([again.pausedAt, again.pauseReason], [paused.pausedAt, 'full'])
  const on = await changeDestination(database, 'a.test', { isPaused: false })
  assert.deepEqual([on.tls, on.isPaused, on.pausedAt, on.pauseReason], ['encrypted', false, undefined, undefined])
  await changeDestination(database, 'b.test', {})
  const first = await listDestinations(database, { limit: 1 })
  assert.deepEqual([first.items.map(({ domain }) => domain), first.next], [['a.test'], ['a.test']])
  const last = await listDestinations(database, { limit: 1, after: first.next })
  assert.deepEqual([last.items.map(({ domain }) => domain), last.next], [['b.test'], undefined])
  assert.deepEqual(
    [await forgetDestination(database, 'a.test'), await forgetDestination(database, 'a.test')],
    [true, false],
  )
})

test('an MTA-STS policy is there until it expires, a newer one takes its place', async () => {
  const { database } = stack
  const policy = { id: '1', mode: 'enforce' as const, maxAgeSeconds: 60, mx: ['mx.a.test', '*.b.test'] }
  await keepStsPolicy(database, 'a.test', policy)
  assert.deepEqual(await findStsPolicy(database, 'a.test'), policy)
  await keepStsPolicy(database, 'a.test', { ...policy, id: '2', mode: 'testing' })
  assert.equal((await findStsPolicy(database, 'a.test'))?.id, '2')
  await keepStsPolicy(database, 'a.test', { ...policy, maxAgeSeconds: 0 })
  assert.equal(await findStsPolicy(database, 'a.test'), undefined)
})

test('sessions are added up by day, policy, server and result', async () => {
  const { database } = stack
  const count = {
    policyDomain: 'a.test',
    policyType: 'sts' as const,
    policy: 'x',
    host: 'mx.a.test',
    address: '192.0.2.1',
  }
  await addTlsResults(database, [
    { item: { ...count, result: 'successful' }, count: 3 },
    { item: { ...count, result: 'validation-failure' }, count: 1 },
  ])
  await addTlsResults(database, [{ item: { ...count, result: 'successful' }, count: 2 }])
  const { rows } = await database.query('select result, sessions::int from tls_result order by result')
  assert.deepEqual(rows, [
    { result: 'successful', sessions: 5 },
    { result: 'validation-failure', sessions: 1 },
  ])
})
