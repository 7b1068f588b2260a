import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { type Lead, LeadLost, takeLead } from './leadership.ts'
import { orderRescan, rescanProgress } from './rescan-admin.ts'
import { advanceRun, nextCopies, openRun, type RescanRun } from './rescan-run.ts'
import { addAccount } from './testing/warnings.ts'

let db: TestDatabase
let accountId: number
const lead: Lead = { work: 'rescan', holder: 'test', lifeMs: 3_600_000 }
const NONE = { scanned: 0, infected: 0, failed: 0 }
const DAYS = 7

before(async () => {
  db = await createTestDatabase()
  accountId = await addAccount(db.database, 'bob@example.test')
  await takeLead(db.database, lead)
})
after(() => db[Symbol.asyncDispose]())
beforeEach(() => db.database.query('truncate maildrop_message, rescan_run, content cascade'))

async function deliver(contentId: string, daysAgo = 0): Promise<void> {
  await db.database.query(`insert into content (id, size_bytes, bytes) values ($1, 1, 'x') on conflict do nothing`, [
    contentId,
  ])
  await db.database.query(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes, delivered_at)
     values ($1, $2, $2, '', 1, now() - $3 * interval '1 day')`,
    [accountId, contentId, daysAgo],
  )
}

const open = (signatures: string, isSettled = true) => openRun(db.database, lead, signatures, isSettled, DAYS)

/** The contents that a batch would scan, and what follows it. */
async function look(run: RescanRun, limit: number): Promise<string[]> {
  const copies = (await nextCopies(db.database, run, limit)).filter(({ isOld }) => !isOld)
  await advanceRun(db.database, lead, run, copies.at(-1), NONE)
  return copies.filter(({ isFirst }) => isFirst).map(({ contentId }) => contentId)
}

test('a run goes from the newest mail to the oldest in its window, each content once, and is over', async () => {
  for (const [id, days] of [
    ['ancient', 8],
    ['a', 6],
    ['b', 3],
    ['a', 1],
    ['c', 0],
  ] as const)
    await deliver(id, days)
  const seen: string[] = []
  for (let run = await open('v1'); run !== undefined; run = await open('v1')) seen.push(...(await look(run, 2)))
  assert.deepEqual(seen, ['c', 'a', 'b'])
  assert.equal((await rescanProgress(db.database))?.state, 'done')
  assert.equal(await open('v1'), undefined)
})

test('signatures that have not settled begin no run, and hold up the one of before', async () => {
  await deliver('a')
  assert.equal(await open('v1', false), undefined)
  assert.ok(await open('v1'))
  assert.equal(await open('v2', false), undefined)
  assert.equal((await open('v1', false))?.signatures, 'v1')
})

test('newer signatures in the middle of a run: what it has left comes first, then what it had done', async () => {
  for (const id of ['a', 'b', 'c', 'd']) await deliver(id)
  assert.deepEqual(await look((await open('v1'))!, 2), ['d', 'c'])
  await deliver('e')
  const seen: string[] = []
  for (let run = await open('v2'); run !== undefined; run = await open('v2')) seen.push(...(await look(run, 1)))
  assert.deepEqual(seen, ['b', 'a', 'e', 'd', 'c'])
  const { rows } = await db.database.query('select signatures, state from rescan_run order by id')
  assert.deepEqual(rows, [
    { signatures: 'v1', state: 'superseded' },
    { signatures: 'v2', state: 'done' },
  ])
})

test('an order begins a run with the signatures of before, once', async () => {
  await deliver('a')
  await look((await open('v1'))!, 5)
  await look((await open('v1'))!, 5)
  assert.equal(await open('v1'), undefined)
  await orderRescan(db.database)
  await orderRescan(db.database)
  assert.equal((await rescanProgress(db.database))?.state, 'ordered')
  assert.deepEqual(await look((await open('v1', false))!, 5), ['a'])
  await look((await open('v1'))!, 5)
  assert.equal(await open('v1'), undefined)
})

test('who has lost the lead changes nothing', async () => {
  await deliver('a')
  const run = (await open('v1'))!
  const other = { ...lead, holder: 'other' }
  await assert.rejects(openRun(db.database, other, 'v2', true, DAYS), LeadLost)
  await assert.rejects(advanceRun(db.database, other, run, undefined, NONE), LeadLost)
  assert.equal((await rescanProgress(db.database))?.state, 'running')
})
