// The lock on a mail, on a real Postgres: one replica at a time, free when its holder is gone.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { openCuttableProxy } from '@sekimori/testing/cuttable-proxy'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { openMailLock } from './mail-lock.ts'

const go = new AbortController().signal
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

const openLock = (url = stack.url) => openMailLock({ DATABASE_URL: url }, serviceStandIn())

/** Work that goes on until it is told to end. */
function gate() {
  const { promise, resolve } = Promise.withResolvers<void>()
  const state = { hasBegun: false, end: resolve }
  const work = async () => {
    state.hasBegun = true
    await promise
  }
  return Object.assign(state, { work })
}

test('two replicas have the same mail one after the other, and different mails at the same time', async () => {
  await using one = openLock()
  await using other = openLock()
  const [first, second, third] = [gate(), gate(), gate()]
  const all = [one.during('a', go, first.work)]
  await eventually(() => first.hasBegun)
  all.push(other.during('a', go, second.work), other.during('b', go, third.work))
  await eventually(() => third.hasBegun)
  assert.equal(second.hasBegun, false)
  first.end()
  await eventually(() => second.hasBegun)
  second.end()
  third.end()
  await Promise.all(all)
})

test('the lock is free after work that failed, and after the connection of its holder is gone', async () => {
  await using one = openLock()
  await using other = openLock()
  await assert.rejects(
    one.during('a', go, () => Promise.reject(new Error('work failed'))),
    /work failed/,
  )
  assert.equal(await other.during('a', go, async () => 'done'), 'done')
  const held = gate()
  const holding = one.during('a', go, held.work)
  await eventually(() => held.hasBegun)
  await one[Symbol.asyncDispose]()
  assert.equal(await other.during('a', go, async () => 'done'), 'done')
  held.end()
  await holding
})

test('the lock of a transaction on the same mail does not stand in the way', async () => {
  await using lock = openLock()
  const work = () => stack.database.query("select pg_advisory_xact_lock(hashtextextended('a', 0))")
  assert.equal((await lock.during('a', go, work)).rows.length, 1)
})

test('while Postgres is away the work is held, and afterwards it goes on', async () => {
  await using proxy = await openCuttableProxy(stack.url)
  await using lock = openLock(Object.assign(new URL(stack.url), { port: String(proxy.port) }).href)
  await lock.during('a', go, async () => {})
  proxy.refuse()
  proxy.cut()
  await assert.rejects(
    lock.during('a', go, async () => {}),
    DependencyAway,
  )
  await proxy.accept()
  assert.equal(await lock.during('a', go, async () => 'done'), 'done')
})

test('who is told to stop no longer waits', async () => {
  await using one = openLock()
  await using other = openLock()
  const held = gate()
  const holding = one.during('a', go, held.work)
  await eventually(() => held.hasBegun)
  const stop = new AbortController()
  const waiting = other.during('a', stop.signal, async () => {})
  stop.abort()
  await assert.rejects(waiting, { name: 'AbortError' })
  held.end()
  await holding
})
