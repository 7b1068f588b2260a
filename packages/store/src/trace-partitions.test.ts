// The trace's partitions: rows find theirs by their queue id, new ones are made in time, old ones go as a whole.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newQueueId } from '@sekimori/mail/queue-id'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { insertTrace } from './trace.ts'
import { keepTracePartitions } from './trace-partitions.ts'

const DAY_MS = 86_400_000
const RETENTION_MS = 30 * DAY_MS
let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

async function partitionOf(queueId: string): Promise<string | undefined> {
  const { rows } = await stack.database.query<{ name: string }>(
    'select tableoid::regclass::text as name from message_trace where queue_id = $1',
    [queueId],
  )
  return rows[0]?.name
}

async function insertAt(time: number): Promise<string> {
  const queueId = newQueueId(time)
  const end = { stage: 'maildrop', outcome: 'delivered', mailFrom: '', direction: 'inbound', history: '[]' }
  await insertTrace(stack.database, [{ queueId, recipient: 'bob@example.test', ...end }])
  return queueId
}

test('a row lies in the week of its acceptance, up to the last millisecond', async () => {
  const monday = Date.parse('2020-01-06T00:00:00Z')
  const weeks = Math.ceil((Date.now() - monday) / (7 * DAY_MS))
  const next = monday + weeks * 7 * DAY_MS
  const name = `message_trace_${new Date(next).toISOString().slice(0, 10).replaceAll('-', '')}`
  assert.equal(await partitionOf(await insertAt(next)), name)
  assert.notEqual(await partitionOf(await insertAt(next - 1)), name)
  assert.equal(await partitionOf(await insertAt(next + 7 * DAY_MS - 1)), name)
})

test('partitions are made ahead, once; rows that came before theirs move into it', async () => {
  const future = Date.now() + 200 * DAY_MS
  const queueId = await insertAt(future)
  assert.equal(await partitionOf(queueId), 'message_trace_default')
  assert.ok((await keepTracePartitions(stack.database, RETENTION_MS * 100, future)).made > 0)
  assert.match((await partitionOf(queueId))!, /^message_trace_\d{8}$/)
  assert.deepEqual(await keepTracePartitions(stack.database, RETENTION_MS * 100, future), { made: 0, dropped: 0 })
})

test('what is older than the retention goes, whole weeks at a time', async () => {
  const now = Date.now() + 100 * DAY_MS
  await keepTracePartitions(stack.database, RETENTION_MS * 100, now - 60 * DAY_MS)
  const [old, kept] = [await insertAt(now - 38 * DAY_MS), await insertAt(now - 29 * DAY_MS)]
  const { dropped } = await keepTracePartitions(stack.database, RETENTION_MS, now)
  assert.ok(dropped > 0)
  assert.equal(await partitionOf(old), undefined)
  assert.notEqual(await partitionOf(kept), undefined)
  await stack.database.query(
    "insert into message_trace (queue_id, recipient, stage, outcome, mail_from, direction, history, ended_at) values ('zz', 'x', 's', 'o', '', 'inbound', '[]', now() - interval '40 days')",
  )
  await keepTracePartitions(stack.database, RETENTION_MS)
  assert.equal(await partitionOf('zz'), undefined)
})

test('the key holds within a partition: an end is written once', async () => {
  const queueId = newQueueId()
  const end = {
    queueId,
    recipient: 'bob@example.test',
    stage: 'maildrop',
    mailFrom: '',
    direction: 'inbound',
    history: '[]',
  }
  await insertTrace(stack.database, [{ ...end, outcome: 'delivered' }])
  await insertTrace(stack.database, [{ ...end, outcome: 'dropped' }])
  const { rows } = await stack.database.query('select outcome from message_trace where queue_id = $1', [queueId])
  assert.deepEqual(rows, [{ outcome: 'delivered' }])
})
