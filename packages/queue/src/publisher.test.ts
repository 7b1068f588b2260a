// Publishing on a real RabbitMQ behind a proxy whose connections are cut, paused and refused on purpose.
import assert from 'node:assert/strict'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { type CuttableProxy, openCuttableProxy } from '@sekimori/testing/cuttable-proxy'
import { eventually } from '@sekimori/testing/eventually'
import { createTestBroker, type TestBroker } from '@sekimori/testing/test-broker'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { MessageNeverSent, openPublisher } from './publisher.ts'
import { publication, scan } from './queues.ts'
import { jobFor } from './testing/job.ts'

const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'
let broker: TestBroker
before(async () => {
  broker = await createTestBroker()
})
after(() => broker[Symbol.asyncDispose]())

let proxy: CuttableProxy
beforeEach(async () => {
  proxy = await openCuttableProxy(broker.url)
})
afterEach(() => proxy[Symbol.asyncDispose]())

const job = (queueId: string) => publication(scan, jobFor(queueId))
const urlThrough = () => Object.assign(new URL(broker.url), { port: proxy.port }).href

function open(timeoutMs: number, service = serviceStandIn(), connectTimeoutMs?: number) {
  const { log, dependencies } = service
  return openPublisher({ url: urlThrough(), name: 'test', log, dependencies, timeoutMs, connectTimeoutMs })
}

test('a message is in its queue, with its traceparent, when publish resolves', async () => {
  await using publisher = await open(60_000)
  await publisher.publish(job('q1'), TRACEPARENT)
  const found = await broker.take('scan')
  assert.equal(found?.headers.traceparent, TRACEPARENT)
  assert.match(found.octets.toString(), /"queueId":"q1"/)
})

test('publish does not resolve before the broker confirms', async () => {
  await using publisher = await open(60_000)
  await publisher.publish(job('warm'), TRACEPARENT)
  await broker.take('scan')
  proxy.pause('down')
  let isSafe = false
  const publishing = publisher.publish(job('q2'), TRACEPARENT).then(() => {
    isSafe = true
  })
  await eventually(async () => (await broker.ready('scan')) === 1)
  assert.equal(isSafe, false)
  proxy.resume('down')
  await publishing
  await broker.take('scan')
})

test('without a broker publish fails within its time limit, and certainly nothing was sent', async () => {
  proxy.refuse()
  await using publisher = await open(200)
  const since = performance.now()
  await assert.rejects(publisher.publish(job('q3'), TRACEPARENT), MessageNeverSent)
  assert.ok(performance.now() - since < 30_000)
  assert.ok(new MessageNeverSent(new Error()) instanceof DependencyAway)
})

test('a broker that comes back within the time limit gets the message', async () => {
  proxy.refuse()
  const service = serviceStandIn()
  await using publisher = await open(60_000, service)
  assert.deepEqual(Object.keys(service.dependencies.away()), ['rabbitmq (test)'])
  const publishing = publisher.publish(job('q4'), TRACEPARENT)
  await proxy.accept()
  await publishing
  assert.ok(await broker.take('scan'))
  await eventually(() => Object.keys(service.dependencies.away()).length === 0)
})

test('a message that was sent and not confirmed when the connection broke may have arrived', async () => {
  await using publisher = await open(60_000)
  await publisher.publish(job('warm'), TRACEPARENT)
  await broker.take('scan')
  proxy.pause('down')
  const publishing = publisher.publish(job('q5'), TRACEPARENT)
  publishing.catch(() => {}) // awaited below
  await eventually(() => broker.take('scan'))
  proxy.resume('down')
  proxy.cut()
  await assert.rejects(publishing, (error) => error instanceof DependencyAway && !(error instanceof MessageNeverSent))
  await publisher.publish(job('q6'), TRACEPARENT)
  assert.ok(await broker.take('scan'))
})

test('a queue that was deleted is made again', async () => {
  await using publisher = await open(60_000)
  await publisher.publish(job('warm'), TRACEPARENT)
  await broker.deleteQueue('scan')
  await assert.rejects(publisher.publish(job('q7'), TRACEPARENT), MessageNeverSent)
  await eventually(async () => {
    await publisher.publish(job('q8'), TRACEPARENT)
    return true
  })
  assert.match((await broker.take('scan'))!.octets.toString(), /"queueId":"q8"/)
})

test('while the broker blocks publishers nothing is sent, and the process is unready', async () => {
  const service = serviceStandIn()
  await using publisher = await open(60_000, service)
  await publisher.publish(job('warm'), TRACEPARENT)
  await broker.take('scan')
  proxy.inject(methodFrame(10, 60, Buffer.from('\x03low')))
  await eventually(() => service.dependencies.away()['rabbitmq (test)'])
  let isSafe = false
  const publishing = publisher.publish(job('q9'), TRACEPARENT).then(() => {
    isSafe = true
  })
  assert.equal(await broker.ready('scan'), 0)
  assert.equal(isSafe, false)
  proxy.inject(methodFrame(10, 61, Buffer.alloc(0)))
  await publishing
  assert.ok(await broker.take('scan'))
  assert.deepEqual(service.dependencies.away(), {})
})

test('what was not sent yet outlives a lost connection', async () => {
  const service = serviceStandIn()
  await using publisher = await open(60_000, service)
  await publisher.publish(job('warm'), TRACEPARENT)
  await broker.take('scan')
  proxy.inject(methodFrame(10, 60, Buffer.from('\x03low')))
  await eventually(() => service.dependencies.away()['rabbitmq (test)'])
  const publishing = publisher.publish(job('q10'), TRACEPARENT)
  proxy.cut()
  await publishing
  assert.ok(await broker.take('scan'))
})

test('a broker that takes the connection and says nothing is given up and tried again', async () => {
  proxy.pause('down')
  await using publisher = await open(60_000, serviceStandIn(), 1_000)
  await eventually(() => proxy.open() > 0)
  await eventually(() => proxy.open() === 0)
  proxy.resume('down')
  await publisher.publish(job('q11'), TRACEPARENT)
  assert.ok(await broker.take('scan'))
})

test('closing does not wait for a broker that no longer answers', async () => {
  const publisher = await open(60_000)
  await publisher.publish(job('warm'), TRACEPARENT)
  proxy.pause('down')
  const publishing = publisher.publish(job('q12'), TRACEPARENT)
  publishing.catch(() => {}) // awaited below
  await publisher[Symbol.asyncDispose]()
  await assert.rejects(publishing, DependencyAway)
  await eventually(() => proxy.open() === 0)
})

/** A frame of the broker's own accord (AMQP 0-9-1 section 4.2.3): connection.blocked is 10.60, unblocked 10.61. */
function methodFrame(classId: number, methodId: number, fields: Buffer): Buffer {
  const head = Buffer.alloc(11)
  head.writeUInt8(1, 0)
  head.writeUInt32BE(4 + fields.length, 3)
  head.writeUInt16BE(classId, 7)
  head.writeUInt16BE(methodId, 9)
  return Buffer.concat([head, fields, Buffer.from([0xce])])
}
