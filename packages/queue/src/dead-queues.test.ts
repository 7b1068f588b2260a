import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestBroker, type TestBroker } from '@sekimori/testing/test-broker'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { openBroker } from './broker.ts'
import { encodeMessage } from './codec.ts'
import { consumeDead, type DeadMessage } from './dead-queues.ts'
import { jobFor } from './testing/job.ts'

let testBroker: TestBroker
before(async () => {
  testBroker = await createTestBroker()
})
after(() => testBroker[Symbol.asyncDispose]())

const died = { 'x-sekimori-reason': 'Error: x', 'x-sekimori-died-at': '2026-11-22T10:00:00.000Z', traceparent: '00-1' }

/** Takes from the dead queues until the work is done. */
async function taking(keep: (message: DeadMessage) => Promise<void>, work: () => Promise<void>): Promise<void> {
  await using broker = await openBroker({ AMQP_URL: testBroker.url, PUBLISH_TIMEOUT_MS: 10_000 }, serviceStandIn())
  await using _consumer = await consumeDead(broker, keep)
  await eventually(() => testBroker.exists('notify.dead'))
  await work()
}

test('dead messages of every queue are taken, decoded where that is possible', async () => {
  const kept: DeadMessage[] = []
  const octets = encodeMessage(jobFor('q1'))
  await taking(
    async (message) => void kept.push(message),
    async () => {
      await testBroker.put('scan.dead', octets, died)
      await testBroker.put('notify.dead', Buffer.from('garbage'), died)
      await eventually(() => kept.length === 2)
    },
  )
  const job = kept.find(({ queue }) => queue === 'scan')
  assert.deepEqual(job?.message, jobFor('q1'))
  assert.deepEqual([job?.reason, job?.diedAt.toISOString()], ['Error: x', died['x-sekimori-died-at']])
  assert.deepEqual(job?.headers, { traceparent: '00-1' })
  assert.ok(job?.octets.equals(octets))
  assert.equal(kept.find(({ queue }) => queue === 'notify')?.message, undefined)
  await eventually(async () => (await testBroker.ready('scan.dead')) + (await testBroker.ready('notify.dead')) === 0)
})

test('what can not be kept yet is given again, and has the same id each time; dying again makes another one', async () => {
  const ids: string[] = []
  const put = (diedAt: string) =>
    testBroker.put('scan.dead', encodeMessage(jobFor('q2')), { ...died, 'x-sekimori-died-at': diedAt })
  let isAway = true
  await taking(
    async ({ id }) => {
      ids.push(id)
      if (isAway) throw new Error('the database is away')
    },
    async () => {
      await put('2026-11-22T10:00:00.000Z')
      await eventually(() => ids.length >= 2)
    },
  )
  await eventually(async () => (await testBroker.ready('scan.dead')) === 1)
  isAway = false
  const tries = ids.length
  await taking(
    async ({ id }) => void ids.push(id),
    async () => {
      await eventually(() => ids.length === tries + 1)
      await put('2026-11-22T11:00:00.000Z')
      await eventually(() => ids.length === tries + 2)
    },
  )
  assert.equal(new Set(ids.slice(0, -1)).size, 1)
  assert.notEqual(ids.at(-1), ids[0])
})
