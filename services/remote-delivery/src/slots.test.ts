import assert from 'node:assert/strict'
import { after, mock, test } from 'node:test'
import { Slots } from './slots.ts'

const end = new AbortController()
const go = end.signal
after(() => end.abort())
const limits = { total: 3, perDestination: 2, waitMs: 5_000 }

/** Whether the promise is settled by now. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending')
  await new Promise((resolve) => setImmediate(resolve))
  return (await Promise.race([promise, Promise.resolve(pending)])) !== pending
}

test('a destination gets no more than its share, all together no more than the whole', async () => {
  const slots = new Slots(limits)
  const first = await slots.take('slow.test', go)
  await slots.take('slow.test', go)
  const third = slots.take('slow.test', go)
  assert.ok(await slots.take('quick.test', go), 'another destination is not held up')
  const fifth = slots.take('quick.test', go)
  assert.deepEqual([await isSettled(third), await isSettled(fifth)], [false, false])
  first![Symbol.dispose]()
  assert.ok(await third, 'the first one that fits goes on')
  assert.equal(await isSettled(fifth), false)
})

test('who waits too long gets nothing, and the next ones for that destination get nothing at once', async (context) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  context.after(() => mock.timers.reset())
  const slots = new Slots(limits)
  const held = [await slots.take('slow.test', go), await slots.take('slow.test', go)]
  const waiting = slots.take('slow.test', go)
  mock.timers.tick(5_000)
  assert.equal(await waiting, undefined)
  assert.equal(await slots.take('slow.test', go), undefined)
  held[0]![Symbol.dispose]()
  assert.ok(await slots.take('slow.test', go), 'until one of its dialogues has ended')
  assert.equal(await isSettled(slots.take('slow.test', go)), false)
})

test('nobody waits when the process stops', async () => {
  const slots = new Slots({ ...limits, total: 1 })
  await slots.take('a.test', go)
  const stop = new AbortController()
  const waiting = slots.take('b.test', stop.signal)
  stop.abort()
  assert.deepEqual([await waiting, await slots.take('b.test', stop.signal)], [undefined, undefined])
})
