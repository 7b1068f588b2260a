// Consuming while the broker's connections break, its queues vanish, or it falls silent: at least once, never lost.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { eventually } from '@sekimori/testing/eventually'
import { createTestBroker, type TestBroker } from '@sekimori/testing/test-broker'
import { publication, sign } from './queues.ts'
import { putJobs, startConsumer, takeJobs } from './testing/consumer-under-test.ts'

let broker: TestBroker
before(async () => {
  broker = await createTestBroker()
  await using _declares = await startConsumer(broker, async () => [])
  await eventually(() => broker.exists('notify.dead'))
})
after(() => broker[Symbol.asyncDispose]())
beforeEach(() => broker.empty())

test('sockets cut in the middle of 200 messages lose none of them', async () => {
  const queueIds = Array.from({ length: 200 }, (_, index) => `job${index}`)
  await putJobs(broker, ...queueIds)
  const handled = new Map<string, number>()
  let total = 0
  await using consumer = await startConsumer(broker, async (job) => {
    await turn()
    handled.set(job.queueId, (handled.get(job.queueId) ?? 0) + 1)
    if (++total % 60 === 0) consumer.proxy.cut()
    return [publication(sign, job)]
  })
  await eventually(() => handled.size === 200)
  await consumer.stop()
  const passed = new Set(await takeJobs(broker, 'sign'))
  for (const rest of await takeJobs(broker, 'scan')) passed.add(rest)
  assert.equal(passed.size, 200)
  assert.ok(total > 200, 'some were delivered again')
  assert.equal(await broker.ready('scan.dead'), 0)
})

test('a message is acknowledged only after what it led to is confirmed', async () => {
  let calls = 0
  await using consumer = await startConsumer(broker, async (job) => {
    // From here on no confirm comes back, while whatever we send still arrives.
    if (++calls === 1) consumer.proxy.pause('down')
    return [publication(sign, job)]
  })
  await putJobs(broker, 'once')
  assert.ok(await eventually(() => broker.take('sign')))
  consumer.proxy.resume('down')
  consumer.proxy.cut()
  assert.ok(await eventually(() => broker.take('sign')), 'delivered again: it was not acknowledged')
  assert.equal(calls, 2)
})

test('a consumer whose queue is deleted comes back with the queue', async () => {
  await using _ = await startConsumer(broker, async (job) => [publication(sign, job)])
  await eventually(async () => (await broker.consumers('scan')) === 1)
  await broker.deleteQueue('scan')
  await eventually(async () => (await broker.consumers('scan')) === 1)
  await putJobs(broker, 'after')
  assert.deepEqual(await eventually(async () => nonEmpty(await takeJobs(broker, 'sign'))), ['after'])
})

test('a dead queue that is not there is made, not waited for', async () => {
  await using _ = await startConsumer(broker, () => assert.fail('not for the handler'))
  await eventually(async () => (await broker.consumers('scan')) === 1)
  await broker.deleteQueue('scan.dead')
  await broker.put('scan', Buffer.from('garbage'))
  assert.ok(await eventually(() => broker.take('scan.dead')))
})

test('a broker that falls silent is noticed by its missing heartbeats', async () => {
  await using consumer = await startConsumer(broker, async (job) => [publication(sign, job)], {}, 'heartbeat=1')
  await eventually(async () => (await broker.consumers('scan')) === 1)
  consumer.proxy.pause('down')
  await eventually(() => Object.keys(consumer.service.dependencies.away()).length === 2)
  consumer.proxy.resume('down')
  await putJobs(broker, 'heard')
  assert.deepEqual(await eventually(async () => nonEmpty(await takeJobs(broker, 'sign'))), ['heard'])
})

test('stopping while the broker is silent or away ends all the same', async () => {
  for (const trouble of ['silent', 'away'] as const) {
    await using consumer = await startConsumer(broker, async () => [], { drainTimeoutMs: 100 })
    await eventually(async () => (await broker.consumers('scan')) === 1)
    if (trouble === 'silent') consumer.proxy.pause('down')
    else {
      consumer.proxy.refuse()
      consumer.proxy.cut()
    }
    await consumer.stop()
    await eventually(async () => (await broker.consumers('scan')) === 0)
  }
})

test('a connection lost while stopping brings no new messages', async () => {
  const mayFinish = Promise.withResolvers<void>()
  const started: string[] = []
  const handler = async (job: { queueId: string }) => {
    started.push(job.queueId)
    await mayFinish.promise
    return []
  }
  await using consumer = await startConsumer(broker, handler)
  await putJobs(broker, 'in-hand')
  await eventually(() => started.length === 1)
  const stopping = consumer.stop()
  consumer.proxy.cut()
  const { dependencies } = consumer.service
  await eventually(() => Object.keys(dependencies.away()).length > 0)
  await eventually(() => Object.keys(dependencies.away()).length === 0)
  await putJobs(broker, 'waiting')
  assert.equal(await broker.ready('scan'), 2)
  mayFinish.resolve()
  await stopping
  assert.deepEqual((await takeJobs(broker, 'scan')).sort(), ['in-hand', 'waiting'])
})

function nonEmpty<T>(items: T[]): T[] | undefined {
  return items.length === 0 ? undefined : items
}
