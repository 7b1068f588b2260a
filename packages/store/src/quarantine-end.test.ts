// The end of quarantined content, on a real Postgres: after its time, or by order.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { findQuarantined } from './quarantine-admin.ts'
import { expireRecords, finishEnding, leaseEnding } from './quarantine-end.ts'
import { orderDeletion, orderRelease } from './quarantine-order.ts'
import { head, held, infected, jobOf, masterKey, setAsideAs, traced } from './testing/mail-set-aside.ts'

const DAY_MS = 86_400_000
const LEASE_MS = 60_000
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const table of ['quarantine', 'message_trace']) await stack.database.query(`delete from ${table}`)
})

async function setAsideBefore(queueId: string, days: number, part = infected): Promise<void> {
  await setAsideAs(stack.database, jobOf(queueId, `${head}text`), part)
  await stack.database.query(
    `update quarantine set quarantined_at = now() - $2 * interval '1 day' where queue_id = $1`,
    [queueId, days],
  )
}

const next = () => leaseEnding(stack.database, masterKey, LEASE_MS)

async function endAll(): Promise<string[]> {
  const ended: string[] = []
  for (let ending = await next(); ending !== undefined; ending = await next()) {
    await finishEnding(stack.database, ending)
    ended.push(ending.id.queueId)
  }
  return ended
}

async function chunks(): Promise<string[]> {
  const { rows } = await stack.database.query<{ queue_id: string }>('select queue_id from quarantine_chunk order by 1')
  return rows.map((row) => row.queue_id)
}

test('content that has been kept long enough goes, its metadata stays', async () => {
  await setAsideBefore('old', 31)
  await setAsideBefore('young', 29)
  await setAsideBefore('held', 31, held)
  assert.equal(await expireRecords(stack.database, 30 * DAY_MS, 100), 2)
  assert.deepEqual((await endAll()).sort(), ['held', 'old'])
  assert.deepEqual(await chunks(), ['young'])
  const [old] = await findQuarantined(stack.database, 'old')
  assert.deepEqual([old?.state, old?.signature, old?.summary.subject], ['expired', 'Eicar', 'Invoice'])
  assert.deepEqual(await traced(stack.database, 'old'), ['bob@example.test quarantined'])
  assert.deepEqual(await traced(stack.database, 'held'), ['bob@example.test expired'])
  assert.deepEqual(await orderRelease(stack.database, 'held', {}), { kind: 'settled', state: 'expired' })
})

test('the sweep goes on in batches, the oldest first, and replicas share the work', async () => {
  await using other = await stack.openAnother()
  for (let days = 31; days < 36; days++) await setAsideBefore(`d${days}`, days)
  assert.equal(await expireRecords(stack.database, 30 * DAY_MS, 1), 1)
  assert.deepEqual(
    (await findQuarantined(stack.database, 'd35')).map(({ state }) => state),
    ['expiring'],
  )
  const counts = await Promise.all([
    expireRecords(stack.database, 30 * DAY_MS, 2),
    expireRecords(other, 30 * DAY_MS, 2),
  ])
  assert.ok(counts[0] + counts[1] <= 4)
  while ((await expireRecords(stack.database, 30 * DAY_MS, 2)) > 0) {}
  const endings = await Promise.all([next(), leaseEnding(other, masterKey, LEASE_MS), next()])
  assert.equal(new Set(endings.map((ending) => ending?.id.queueId)).size, 3, 'no two have the same')
})

test('a release that was ordered in time is not overtaken by the sweep', async () => {
  await setAsideBefore('q', 31, held)
  await orderRelease(stack.database, 'q', {})
  assert.equal(await expireRecords(stack.database, 30 * DAY_MS, 100), 0)
})

test('a deletion shows the header section, for telling the sender, until it is done; then nothing is left', async () => {
  await setAsideAs(stack.database, jobOf('q', `${head}text`), held)
  assert.deepEqual(await orderDeletion(stack.database, 'q', {}), { kind: 'ordered' })
  const ending = (await next())!
  assert.deepEqual([ending.state, ending.reason, ending.job?.queueId], ['deleting', 'encrypted', 'q'])
  assert.deepEqual(ending.head, head)
  assert.equal(await next(), undefined, 'it is in hand')
  await finishEnding(stack.database, ending)
  await finishEnding(stack.database, ending)
  assert.deepEqual(await chunks(), [])
  assert.deepEqual(await traced(stack.database, 'q'), ['bob@example.test deleted'])
  assert.deepEqual(await orderDeletion(stack.database, 'q', {}), { kind: 'ordered' })
  assert.equal(await next(), undefined)
})
