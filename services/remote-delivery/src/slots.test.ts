import assert from 'node:assert/strict'
import { after, mock, test } from 'node:test'
import type { Outcome } from './outcome.ts'
import { Slots } from './slots.ts'

const end = new AbortController()
const go = end.signal
after(() => end.abort())
const limits = {
  total: 3,
  perDestination: 2,
  ratePerSecond: Number.POSITIVE_INFINITY,
  waitMs: 5_000,
  waitersWhileSlow: 10,
  waitersWhileQuick: 10,
}

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

test('few may wait for a destination whose dialogues take long, many for a quick one', async (context) => {
  let now = 0
  context.mock.method(performance, 'now', () => now)
  const slots = new Slots({ ...limits, total: 10, waitersWhileSlow: 1, waitersWhileQuick: 3 })
  const held = [await slots.take('a.test', go), await slots.take('a.test', go)]
  const quick = [1, 2, 3].map(() => slots.take('a.test', go))
  assert.equal(await slots.take('a.test', go), undefined, 'a fourth would wait too long')
  now = 2_000
  assert.equal(await slots.take('a.test', go), undefined, 'it has become slow')
  for (const slot of held) slot![Symbol.dispose]()
  const [first, second] = [await quick[0], await quick[1]]
  assert.equal(await slots.take('a.test', go), undefined, 'one waits already')
  first![Symbol.dispose]()
  second![Symbol.dispose]()
  ;(await quick[2])![Symbol.dispose]()
})

test('when little of the whole is left it is for destinations that have nothing yet', async () => {
  const slots = new Slots({ ...limits, total: 4, perDestination: 4 })
  for (let count = 0; count < 3; count++) assert.ok(await slots.take('greedy.test', go))
  const more = slots.take('greedy.test', go)
  assert.equal(await isSettled(more), false)
  assert.ok(await slots.take('modest.test', go))
})

test('421 and 451 halve what a destination gets, once for the dialogues that were under way; taken mail raises it', async () => {
  const slots = new Slots({ ...limits, total: 100, perDestination: 8 })
  const busy: Outcome[] = [{ kind: 'deferred', status: '4.3.2', diagnostic: '421 4.3.2 too much' }]
  const taken: Outcome[] = [{ kind: 'sent', reply: '250 ok', remoteMta: 'mx' }]
  const held = await Promise.all(Array.from({ length: 8 }, () => slots.take('a.test', go)))
  for (const slot of held) {
    slot!.learn(busy)
    slot![Symbol.dispose]()
  }
  const again = await Promise.all(Array.from({ length: 4 }, () => slots.take('a.test', go)))
  const fifth = slots.take('a.test', go)
  assert.ok(again.every((slot) => slot !== undefined))
  assert.equal(await isSettled(fifth), false)
  for (const slot of [...again, ...again]) slot!.learn(taken)
  assert.equal(await isSettled(fifth), false)
  again[0]![Symbol.dispose]()
  assert.ok(await fifth, 'there is room again')
  assert.ok(await slots.take('a.test', go), 'and mails that were taken have raised the limit')
})

test('whoever waits for its time goes on, also when that comes between two looks at the clock', async (context) => {
  let now = 0
  context.mock.timers.enable({ apis: ['setTimeout'] })
  context.mock.method(performance, 'now', () => now)
  const slots = new Slots({ ...limits, ratePerSecond: 1, perDestination: 1 })
  ;(await slots.take('a.test', go))![Symbol.dispose]()
  const looks = [999.9, 999.9, 1_000]
  context.mock.method(performance, 'now', () => looks.shift() ?? now)
  const next = slots.take('a.test', go)
  now = 1_001
  context.mock.timers.tick(1)
  assert.ok(await isSettled(next))
  assert.ok(await next)
})
