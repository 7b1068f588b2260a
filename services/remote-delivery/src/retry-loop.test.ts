import assert from 'node:assert/strict'
import { mock, type TestContext, test } from 'node:test'
import { createLog } from '@sekimori/runtime/log'
import type { DueMail } from '@sekimori/store/deferred-lease'
import { Alarm } from './alarm.ts'
import { type RetryPorts, startRetryLoop } from './retry-loop.ts'
import { outboundJob } from './testing/outside.ts'

const LEASE_MS = 60_000
const POLL_MS = 5_000

const due = (queueId: string): DueMail => ({
  job: outboundJob(['bob@remote.test'], { queueId }),
  attempts: new Map(),
  expiresAt: new Date(Date.now() + 86_400_000),
  notified: new Set(),
  orders: new Map(),
})

const breathe = async () => {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
}

/** A loop on a clock that the test moves; `schedule` is what the next leases give. */
function startLoop(context: TestContext, over: Partial<RetryPorts> = {}, concurrency = 2) {
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1_000_000 })
  context.after(() => mock.timers.reset())
  let clock = 0
  context.mock.method(performance, 'now', () => clock)
  const scene = {
    schedule: [] as DueMail[],
    limits: [] as number[],
    renewed: [] as string[][],
    inHand: [] as { queueId: string; signal: AbortSignal; finish: () => void }[],
    alarm: new Alarm(),
    stop: new AbortController(),
    async tick(ms: number) {
      clock += ms
      mock.timers.tick(ms)
      await breathe()
    },
  }
  const ports: RetryPorts = {
    async lease(limit) {
      scene.limits.push(limit)
      return scene.schedule.splice(0, limit)
    },
    renew: async (mails) => void scene.renewed.push(mails.map(({ job }) => job.queueId)),
    attempt: (mail, signal) =>
      new Promise((resolve) => scene.inHand.push({ queueId: mail.job.queueId, signal, finish: resolve })),
    whenUp: async () => {},
    log: createLog('test', 'silent'),
    ...over,
  }
  const options = { pollMs: POLL_MS, leaseMs: LEASE_MS, concurrency, stopping: scene.stop.signal }
  const loop = startRetryLoop(ports, scene.alarm, { ...options, drained: new AbortController().signal })
  return { ...scene, loop }
}

test('due mail is taken up when the loop looks, as much as there is room for', async (context) => {
  const { schedule, inHand, limits, tick, stop, loop } = startLoop(context)
  await breathe()
  schedule.push(due('1'), due('2'), due('3'))
  await tick(POLL_MS)
  assert.deepEqual(
    inHand.map(({ queueId }) => queueId),
    ['1', '2'],
  )
  inHand[0]!.finish()
  await breathe()
  await tick(100)
  assert.deepEqual(
    inHand.map(({ queueId }) => queueId),
    ['1', '2', '3'],
  )
  assert.deepEqual(limits.slice(0, 3), [2, 2, 1])
  stop.abort()
  for (const { finish } of inHand) finish()
  await loop[Symbol.asyncDispose]()
})

test('a time that was named is kept, without waiting for the next look', async (context) => {
  const { schedule, inHand, alarm, tick, stop, loop } = startLoop(context)
  await breathe()
  schedule.push(due('1'))
  alarm.wakeAt(Date.now() + 1_000)
  alarm.wakeAt(Date.now() + 2_000)
  await tick(999)
  assert.equal(inHand.length, 0)
  await tick(1)
  assert.equal(inHand.length, 1)
  schedule.push(due('2'))
  await tick(1_000)
  assert.equal(inHand.length, 2)
  stop.abort()
  for (const { finish } of inHand) finish()
  await loop[Symbol.asyncDispose]()
})

test('leases of mail in hand are renewed, and no longer when it is done', async (context) => {
  const { schedule, inHand, renewed, tick, stop, loop } = startLoop(context)
  schedule.push(due('1'))
  await tick(POLL_MS)
  await tick(LEASE_MS / 3)
  assert.deepEqual(renewed, [['1']])
  inHand[0]!.finish()
  await breathe()
  await tick(LEASE_MS / 3)
  assert.equal(renewed.length, 1)
  stop.abort()
  await loop[Symbol.asyncDispose]()
})

test('dialogues are broken off before leases that could not be renewed run out', async (context) => {
  const renew = async () => Promise.reject(new Error('postgres is away'))
  const { schedule, inHand, tick, stop, loop } = startLoop(context, { renew })
  schedule.push(due('1'))
  await tick(POLL_MS)
  await tick(LEASE_MS / 3)
  assert.equal(inHand[0]?.signal.aborted, false)
  await tick(LEASE_MS / 3)
  assert.equal(inHand[0]?.signal.aborted, true)
  stop.abort()
  inHand[0]!.finish()
  await loop[Symbol.asyncDispose]()
})

test('the loop survives a failed look and a failed attempt', async (context) => {
  let looks = 0
  const lease = async () => {
    looks++
    if (looks === 1) throw new Error('postgres is away')
    return looks === 2 ? [due('1')] : []
  }
  const attempt = async () => Promise.reject(new Error('not decided'))
  const { tick, stop, loop } = startLoop(context, { lease, attempt })
  await breathe()
  for (let turn = 0; turn < 3; turn++) await tick(POLL_MS)
  assert.ok(looks >= 3)
  stop.abort()
  await loop[Symbol.asyncDispose]()
})

test('stopping takes nothing more and waits for what is in hand', async (context) => {
  const { schedule, inHand, limits, tick, stop, loop } = startLoop(context)
  schedule.push(due('1'))
  await tick(POLL_MS)
  stop.abort()
  schedule.push(due('2'))
  let isOver = false
  const closing = loop[Symbol.asyncDispose]().then(() => {
    isOver = true
  })
  const looks = limits.length
  await tick(POLL_MS)
  assert.deepEqual([isOver, limits.length], [false, looks])
  inHand[0]!.finish()
  await closing
  assert.equal(inHand.length, 1)
})
