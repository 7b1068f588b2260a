// The cache of directory facts: never older than the last change, and silent when changes can't be heard.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Database } from './database.ts'
import { WatchedCache } from './watched-cache.ts'

function directory() {
  let change = () => {}
  const state = { hears: true, change: () => change() }
  const database = {
    hearsChanges: () => state.hears,
    onDirectoryChange: (listener: () => void) => {
      change = listener
    },
  } as Database
  return { state, cache: new WatchedCache<string>(database, 3) }
}

test('an answer is kept until the directory changes', async () => {
  const { state, cache } = directory()
  let loads = 0
  const load = async () => `answer ${++loads}`
  assert.equal(await cache.get('a', load), 'answer 1')
  assert.equal(await cache.get('a', load), 'answer 1')
  state.change()
  assert.equal(await cache.get('a', load), 'answer 2')
})

test('nothing is answered from the cache while changes can not be heard', async () => {
  const { state, cache } = directory()
  let loads = 0
  const load = async () => `answer ${++loads}`
  await cache.get('a', load)
  state.hears = false
  assert.equal(await cache.get('a', load), 'answer 2')
  assert.equal(await cache.get('a', load), 'answer 3')
})

test('an answer that was asked for before a change is not kept after it', async () => {
  const { state, cache } = directory()
  const asked = Promise.withResolvers<string>()
  const old = cache.get('a', () => asked.promise)
  state.change()
  asked.resolve('before the change')
  assert.equal(await old, 'before the change')
  assert.equal(await cache.get('a', async () => 'after the change'), 'after the change')
})

test('no answer is not kept, nor is a failure, and the cache stays within its size', async () => {
  const { cache } = directory()
  assert.equal(await cache.get('a', async () => undefined), undefined)
  await assert.rejects(
    cache.get('a', () => Promise.reject(new Error('away'))),
    /away/,
  )
  assert.equal(await cache.get('a', async () => 'now'), 'now')
  for (const key of ['b', 'c', 'd']) await cache.get(key, async () => key)
  assert.equal(await cache.get('a', async () => 'loaded again'), 'loaded again')
})
