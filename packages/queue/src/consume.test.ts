// What becomes of a message, on a real RabbitMQ: handled, tried again, held, given up, or left for others when we stop.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { startTelemetry } from '@sekimori/runtime/telemetry'
import { eventually } from '@sekimori/testing/eventually'
import { createTestBroker, type TestBroker } from '@sekimori/testing/test-broker'
import { encodeMessage } from './codec.ts'
import { publication, sign } from './queues.ts'
import { putJobs, startConsumer, takeJobs } from './testing/consumer-under-test.ts'
import { jobFor } from './testing/job.ts'

let broker: TestBroker
let telemetry: AsyncDisposable
before(async () => {
  telemetry = await startTelemetry('test')
  broker = await createTestBroker()
  await using _declares = await startConsumer(broker, async () => [])
  await eventually(() => broker.exists('notify.dead'))
})
after(async () => {
  await broker[Symbol.asyncDispose]()
  await telemetry[Symbol.asyncDispose]()
})
beforeEach(() => broker.empty())

const held = () => Promise.withResolvers<void>()

test('what the handler returns is published under the same trace, then the message is gone', async () => {
  await using consumer = await startConsumer(broker, async (job) => [publication(sign, job)])
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
  await broker.put('scan', encodeMessage(jobFor('traced')), { traceparent })
  const passed = await eventually(() => broker.take('sign'))
  assert.match(String(passed.headers.traceparent), /^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/)
  assert.notEqual(passed.headers.traceparent, traceparent)
  await consumer.stop()
  assert.equal(await broker.ready('scan'), 0)
})

test('a handler that throws is tried again with backoff, then its message is dead, with the reason', async () => {
  const attempts: number[] = []
  await using _ = await startConsumer(broker, async () => {
    attempts.push(performance.now())
    throw new RangeError('no key')
  })
  const octets = encodeMessage(jobFor('bad'))
  await broker.put('scan', octets, { traceparent: 'x' })
  const dead = await eventually(() => broker.take('scan.dead'))
  assert.equal(attempts.length, 3)
  const [first, second, third] = attempts as [number, number, number]
  assert.ok(second - first >= 95 && third - second >= 195, `${second - first} ms, ${third - second} ms`)
  assert.deepEqual(dead.octets, octets)
  assert.equal(dead.headers['x-sekimori-reason'], 'RangeError: no key')
  assert.equal(dead.headers.traceparent, 'x')
})

test('a message that does not decode is dead at once and never reaches the handler', async () => {
  await using _ = await startConsumer(broker, () => assert.fail('not for the handler'))
  await broker.put('scan', Buffer.from('garbage'))
  const dead = await eventually(() => broker.take('scan.dead'))
  assert.equal(dead.octets.toString(), 'garbage')
  assert.match(String(dead.headers['x-sekimori-reason']), /^UndecodableMessage: /)
})

test('a message that took its process down too often is dead, and can be replayed', async () => {
  await using _ = await startConsumer(broker, async (job) => [publication(sign, job)])
  await broker.put('scan', encodeMessage(jobFor('poison')), { 'x-delivery-count': 101 })
  const dead = await broker.deliver('scan.dead')
  assert.equal(dead.headers['x-sekimori-reason'], 'redelivered 101 times')
  await broker.put('scan', dead.octets, dead.headers)
  assert.ok(await eventually(() => broker.take('sign')))
})

test('while a dependency is away messages are held, which counts as no attempt', async () => {
  let calls = 0
  await using consumer = await startConsumer(broker, async (job) => {
    calls++
    if (calls === 1) consumer.service.dependencies.down('clamd', 'refused')
    if (calls <= 4) throw new DependencyAway('clamd')
    return [publication(sign, job)]
  })
  await putJobs(broker, 'held')
  await eventually(() => calls === 1)
  await putJobs(broker, 'later')
  await eventually(async () => (await broker.ready('scan')) === 0)
  assert.equal(calls, 1)
  consumer.service.dependencies.up('clamd')
  const passed: string[] = []
  await eventually(async () => passed.push(...(await takeJobs(broker, 'sign'))) === 2)
  assert.deepEqual(passed.sort(), ['held', 'later'])
  assert.ok(calls > 4)
  assert.equal(await broker.ready('scan.dead'), 0)
})

test('stopping finishes the message in hand; the others go back to the queue', async () => {
  const mayFinish = held()
  const started: string[] = []
  const handler = async (job: { queueId: string }) => {
    started.push(job.queueId)
    if (job.queueId !== 'in-hand') throw new Error('tried again later')
    await mayFinish.promise
    return [publication(sign, jobFor(job.queueId))]
  }
  await using consumer = await startConsumer(broker, handler, { prefetch: 2, attemptLimit: 100 })
  await putJobs(broker, 'in-hand', 'backing-off')
  await eventually(() => started.includes('in-hand') && started.includes('backing-off'))
  await putJobs(broker, 'waiting')
  const stopping = consumer.stop()
  assert.equal(await broker.ready('sign'), 0)
  mayFinish.resolve()
  await stopping
  assert.deepEqual(await takeJobs(broker, 'sign'), ['in-hand'])
  assert.deepEqual((await takeJobs(broker, 'scan')).sort(), ['backing-off', 'waiting'])
})

test('stopping waits no longer than its limit; what is not finished goes back', async () => {
  const never = held()
  let isStarted = false
  const handler = async () => {
    isStarted = true
    await never.promise
    return []
  }
  await using consumer = await startConsumer(broker, handler, { drainTimeoutMs: 100 })
  await putJobs(broker, 'endless')
  await eventually(() => isStarted)
  await consumer.stop()
  assert.deepEqual(await takeJobs(broker, 'scan'), ['endless'])
  never.resolve()
})
