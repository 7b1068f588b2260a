// When checks in the background stand still, and when they go on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MailFirst } from './mail-first.ts'

function noted() {
  const seen: string[] = []
  return { seen, background: { pause: () => void seen.push('pause'), resume: () => void seen.push('resume') } }
}

test('they stand still from the first work on, and go on a moment after the last', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { seen, background } = noted()
  const first = new MailFirst(background, 15)
  const slow = Promise.withResolvers<string>()
  const slowWork = first.during(() => slow.promise)
  assert.deepEqual(seen, ['pause'])
  assert.equal(await first.during(async () => 'quick'), 'quick')
  t.mock.timers.tick(1_000)
  assert.deepEqual(seen, ['pause'])
  slow.resolve('slow')
  assert.equal(await slowWork, 'slow')
  t.mock.timers.tick(14)
  await first.during(async () => {})
  t.mock.timers.tick(14)
  assert.deepEqual(seen, ['pause'])
  t.mock.timers.tick(1)
  assert.deepEqual(seen, ['pause', 'resume'])
  await first.during(async () => {})
  assert.deepEqual(seen, ['pause', 'resume', 'pause'])
})

test('work that fails says so, and holds nothing back', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const { seen, background } = noted()
  const first = new MailFirst(background, 15)
  await assert.rejects(
    first.during(() => Promise.reject(new Error('no'))),
    /no/,
  )
  t.mock.timers.tick(15)
  assert.deepEqual(seen, ['pause', 'resume'])
})
