// Batches: what arrives together goes together, and an item that can not be done fails alone.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { batched } from './batch.ts'

test('items that come while a batch is on its way form the next ones, in order and of bounded size', async () => {
  const batches: number[][] = []
  const double = batched(async (items: number[]) => {
    batches.push(items)
    await new Promise(setImmediate)
    return items.map((item) => item * 2)
  }, 4)
  const first = double(1)
  await new Promise(setImmediate)
  const rest = Array.from({ length: 9 }, (_, index) => double(index + 2))
  assert.deepEqual(await Promise.all([first, ...rest]), [2, 4, 6, 8, 10, 12, 14, 16, 18, 20])
  assert.deepEqual(batches, [[1], [2, 3, 4, 5], [6, 7, 8, 9], [10]])
})

test('a bad item fails alone', async () => {
  const check = batched(async (items: number[]) => {
    if (items.includes(3)) throw new RangeError('three')
    return items
  })
  const results = await Promise.allSettled([1, 2, 3, 4].map(check))
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value : result.reason.message)),
    [1, 2, 'three', 4],
  )
  assert.equal(await check(5), 5)
})

test('an absent server fails all of them, and is asked only once', async () => {
  let calls = 0
  const store = batched(async (items: number[]) => {
    calls++
    if (calls === 1) throw new RangeError('odd one among them')
    if (calls >= 3) throw new DependencyAway('postgres')
    return items
  })
  const results = await Promise.allSettled([1, 2, 3, 4, 5].map(store))
  assert.equal(calls, 3)
  assert.equal(results[0]!.status, 'fulfilled')
  for (const result of results.slice(1))
    assert.ok(result.status === 'rejected' && result.reason instanceof DependencyAway)
})
