// The locks of a process are prolonged together, and a lost one is noticed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Lease } from '@sekimori/store/maildrop-lease'
import { LeaseKeeper } from './lease-keeper.ts'
import { eventually } from './testing/server-under-test.ts'

const log = { info: () => {}, error: () => {} }
const lease = (accountId: number): Lease => ({ accountId, holder: `holder ${accountId}` })

test('all locks are prolonged in one call, and only while they are held', async () => {
  const calls: string[] = []
  const renew = async (leases: Lease[]) => {
    calls.push(leases.map(({ accountId }) => accountId).join())
    return new Set(leases.map(({ holder }) => holder))
  }
  await using keeper = new LeaseKeeper(renew, log, 5)
  const [first, second] = [lease(1), lease(2)]
  const signals = [keeper.keep(first), keeper.keep(second)]
  await eventually(() => calls.length >= 2, 'two renewals')
  assert.deepEqual([...new Set(calls)], ['1,2'])
  keeper.letGo(first)
  await eventually(() => calls.at(-1) === '2', 'the first is let go')
  keeper.letGo(second)
  assert.ok(signals.every((signal) => !signal.aborted))
})

test('only the session whose lock was taken over is told', async () => {
  await using keeper = new LeaseKeeper(async () => new Set(['holder 2']), log, 5)
  const [lost, kept] = [keeper.keep(lease(1)), keeper.keep(lease(2))]
  await eventually(() => lost.aborted, 'the loss is noticed')
  assert.equal(kept.aborted, false)
})

test('a lock that was given back during the renewal is not lost', async () => {
  const { promise, resolve } = Promise.withResolvers<Set<string>>()
  let isAsked = false
  await using keeper = new LeaseKeeper(
    () => {
      isAsked = true
      return promise
    },
    log,
    5,
  )
  const own = lease(1)
  const signal = keeper.keep(own)
  await eventually(() => isAsked, 'the renewal is on its way')
  keeper.letGo(own)
  resolve(new Set())
  await promise
  assert.equal(signal.aborted, false)
})

test('a database that is away loses no lock by itself, and the next renewal is tried', async () => {
  let calls = 0
  const renew = async (leases: Lease[]) => {
    calls += 1
    if (calls < 3) throw new Error('away')
    return new Set(leases.map(({ holder }) => holder))
  }
  await using keeper = new LeaseKeeper(renew, log, 5)
  const signal = keeper.keep(lease(1))
  await eventually(() => calls > 3, 'renewals go on')
  assert.equal(signal.aborted, false)
})
