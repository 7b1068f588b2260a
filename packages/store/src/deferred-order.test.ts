// Operators' orders about waiting mail, and which mail is due while they hold.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { recordAttempt } from './deferred.ts'
import { listWaiting, listWaitingDomains, orderWaiting } from './deferred-admin.ts'
import { leaseDueMail } from './deferred-lease.ts'
import { changeDestination } from './destination.ts'

const LEASE_MS = 60_000
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(() => stack.database.query('truncate deferred_delivery, deferred_mail, content, destination cascade'))

const inTime = (ms: number) => new Date(Date.now() + ms)

/** A mail whose recipients wait, due since so long. */
async function put(queueId: string, recipients: string[], dueForMs = 1_000): Promise<Job> {
  const job: Job = {
    queueId,
    direction: 'outbound',
    acceptedAt: 1_700_000_000_000,
    envelope: { mailFrom: 'alice@example.test', recipients: recipients.map((address) => ({ address })) },
    session: { receivedBy: 'submission' },
    added: [],
    struck: [],
    history: [],
    content: { kind: 'inline', bytes: Buffer.from('mail') },
  }
  const deferred = recipients.map((recipient) => ({
    recipient,
    attempts: 1,
    lastReply: '450 busy',
    nextAttemptAt: inTime(-dueForMs),
  }))
  await recordAttempt(stack.database, job, { ended: [], deferred }, inTime(86_400_000))
  return job
}

const lease = async (resting: string[] = [], limit = 10) =>
  (await leaseDueMail(stack.database, limit, LEASE_MS, resting)).flatMap(({ job }) =>
    job.envelope.recipients.map(({ address }) => `${job.queueId} ${address}`),
  )

test('held mail is not due, and is when it is released', async () => {
  await put('q1', ['a@one.test', 'b@two.test'])
  assert.equal(await orderWaiting(stack.database, { domain: 'one.test' }, 'hold'), 1)
  assert.deepEqual(await lease(), ['q1 b@two.test'])
  assert.equal(await orderWaiting(stack.database, { queueId: 'q1', recipient: 'a@one.test' }, 'release'), 1)
  assert.deepEqual(await lease(), ['q1 a@one.test'])
})

test('mail of paused and of resting domains is not due', async () => {
  await put('q1', ['a@one.test', 'b@two.test', 'c@three.test'])
  await changeDestination(stack.database, 'one.test', { isPaused: true })
  assert.deepEqual(await lease(['two.test']), ['q1 c@three.test'])
  await changeDestination(stack.database, 'one.test', { isPaused: false })
  assert.deepEqual((await lease()).sort(), ['q1 a@one.test', 'q1 b@two.test'])
})

test('mail that is given up is due, held and paused or not, and says how it is to end', async () => {
  await put('q1', ['a@one.test', 'b@one.test'], -60_000)
  await changeDestination(stack.database, 'one.test', { isPaused: true })
  await orderWaiting(stack.database, { domain: 'one.test' }, 'hold')
  await orderWaiting(stack.database, { recipient: 'a@one.test', queueId: 'q1' }, 'return')
  await orderWaiting(stack.database, { recipient: 'b@one.test', queueId: 'q1' }, 'drop')
  const [mail] = await leaseDueMail(stack.database, 10, LEASE_MS, ['one.test'])
  assert.deepEqual(
    [...mail!.orders],
    [
      ['a@one.test', 'return'],
      ['b@one.test', 'drop'],
    ],
  )
  assert.deepEqual((await listWaiting(stack.database, {}, { limit: 9 })).items, [], 'it waits for nothing more')
})

test('an attempt that was under way when its mail was given up does not put that off', async () => {
  const job = await put('q1', ['a@one.test'])
  await lease()
  await orderWaiting(stack.database, { queueId: 'q1' }, 'return')
  const later = { recipient: 'a@one.test', attempts: 2, lastReply: '450', nextAttemptAt: inTime(3_600_000) }
  await recordAttempt(stack.database, job, { ended: [], deferred: [later] }, inTime(86_400_000))
  assert.deepEqual(await lease(), ['q1 a@one.test'])
})

test('a retry makes mail due at once', async () => {
  await put('q1', ['a@one.test'], -3_600_000)
  assert.deepEqual(await lease(), [])
  assert.equal(await orderWaiting(stack.database, { domain: 'one.test' }, 'retry'), 1)
  assert.deepEqual(await lease(), ['q1 a@one.test'])
})

test('one domain with much mail does not keep that of others from its turn', async () => {
  for (let count = 0; count < 6; count++) await put(`q${count}`, [`u${count}@much.test`], 60_000 + count)
  await put('q9', ['a@little.test'], 1_000)
  assert.ok((await lease([], 2)).includes('q9 a@little.test'))
})

test('an order without a mail to name is nobody’s wish', async () => {
  await assert.rejects(orderWaiting(stack.database, {}, 'drop'), TypeError)
})

test('what waits is listed by mail and recipient, and by domain', async () => {
  await put('q1', ['a@one.test', 'b@two.test'])
  await put('q2', ['c@one.test'])
  await orderWaiting(stack.database, { queueId: 'q2' }, 'hold')
  const first = await listWaiting(stack.database, { domain: 'one.test' }, { limit: 1 })
  assert.deepEqual(
    first.items.map(({ queueId, isHeld, lastReply }) => [queueId, isHeld, lastReply]),
    [['q1', false, '450 busy']],
  )
  const second = await listWaiting(stack.database, { domain: 'one.test' }, { limit: 1, after: first.next })
  assert.deepEqual([second.items.map(({ queueId }) => queueId), second.next], [['q2'], undefined])
  const { items } = await listWaitingDomains(stack.database, { limit: 9 })
  assert.deepEqual(
    items.map(({ domain, recipients, held }) => [domain, recipients, held]),
    [
      ['one.test', 2, 1],
      ['two.test', 1, 0],
    ],
  )
  assert.equal(items[0]!.oldestAcceptedAt, new Date(1_700_000_000_000).toISOString())
})
