// Release on a real Postgres: however often it is ordered or attempted, one job goes on.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { contentHolder } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { contentOpener, releaseContent } from './content.ts'
import { setAside } from './quarantine.ts'
import { findQuarantined } from './quarantine-admin.ts'
import { orderDeletion, orderRelease } from './quarantine-order.ts'
import { claimRelease, markPublished, prepareRelease } from './quarantine-release.ts'
import {
  bob,
  dumpOf,
  facts,
  head,
  held,
  infected,
  jobOf,
  masterKey,
  setAsideAs,
  traced,
} from './testing/mail-set-aside.ts'

const LEASE_MS = 60_000
const text = `${head}the held mail itself`
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const table of ['quarantine', 'message_trace', 'content_use', 'content'])
    await stack.database.query(`delete from ${table}`)
})

const stateOf = async (queueId: string) => (await findQuarantined(stack.database, queueId)).map(({ state }) => state)
const prepare = () => prepareRelease(stack.database, masterKey, LEASE_MS)
const endLeases = () =>
  stack.database.query(
    `update quarantine set leased_until = now() - interval '1 second' where leased_until < 'infinity'`,
  )

async function contentOf(job: Job): Promise<string> {
  return Buffer.concat(await Array.fromAsync(contentOpener(stack.database)(job.content))).toString()
}

async function holdAndOrder(queueId = 'q'): Promise<void> {
  await setAsideAs(stack.database, jobOf(queueId, text), held)
  assert.deepEqual(await orderRelease(stack.database, queueId, {}), { kind: 'ordered' })
}

test('a held mail that is released is the job that it was, and leaves nothing behind in quarantine', async () => {
  await setAsideAs(stack.database, jobOf('q', text), held)
  assert.equal(await prepare(), undefined, 'nobody ordered it')
  await orderRelease(stack.database, 'q', {})
  const job = (await prepare())!
  assert.equal(await contentOf(job), text)
  const { content: _, ...before } = jobOf('q', text)
  assert.deepEqual(job.envelope, before.envelope)
  assert.deepEqual(job.added, before.added)
  assert.equal(job.released?.reason, 'encrypted')
  assert.deepEqual(
    job.history.map(({ stage, outcome }) => [stage, outcome]),
    [['quarantine', 'released']],
  )
  assert.deepEqual(await stateOf('q'), ['releasing'])
  assert.equal(await claimRelease(stack.database, job), true)
  assert.deepEqual(await stateOf('q'), ['released'])
  assert.deepEqual(await traced(stack.database, 'q'), ['bob@example.test released'])
  const { rows } = await stack.database.query('select from quarantine_chunk')
  assert.equal(rows.length, 0)
  assert.equal(await claimRelease(stack.database, job), true, 'the broker may deliver the same job again')
})

test('a release that is ordered twice is one release', async () => {
  await holdAndOrder()
  assert.deepEqual(await orderRelease(stack.database, 'q', {}), { kind: 'ordered' })
  const job = (await prepare())!
  assert.equal(await prepare(), undefined, 'it is in hand')
  await markPublished(stack.database, job)
  await endLeases()
  assert.equal(await prepare(), undefined, 'it is published')
  await claimRelease(stack.database, job)
  assert.deepEqual(await orderRelease(stack.database, 'q', {}), { kind: 'ordered' })
  assert.equal(await prepare(), undefined)
})

test('two replicas that look for releases at the same time take one each', async () => {
  await using other = await stack.openAnother()
  await holdAndOrder('a')
  await holdAndOrder('b')
  const jobs = await Promise.all([prepare(), prepareRelease(other, masterKey, LEASE_MS), prepare()])
  assert.deepEqual(jobs.map((job) => job?.queueId ?? '-').sort(), ['-', 'a', 'b'])
})

test('of two jobs of one release, published by a process that was killed and by its successor, one goes on', async () => {
  await holdAndOrder()
  const first = (await prepare())!
  await endLeases()
  const second = (await prepare())!
  assert.notEqual(second.released?.token, first.released?.token)
  const copies = await stack.database.query<{ id: string }>('select id from content')
  assert.deepEqual(
    copies.rows.map(({ id }) => id),
    [(second.content as { id: string }).id],
    'the first may never have been published',
  )
  assert.equal(await claimRelease(stack.database, first), false, 'the successor has taken over')
  assert.equal(await claimRelease(stack.database, second), true)
  assert.equal(await contentOf(second), text)
  await releaseContent(stack.database, (second.content as { id: string }).id, contentHolder('q', 'inbound'))
  assert.ok(!(await dumpOf(stack.database)).includes('the held mail itself'), 'no attempt leaves a copy behind')
})

test('when the first job has come through already there is no successor', async () => {
  await holdAndOrder()
  const first = (await prepare())!
  assert.equal(await claimRelease(stack.database, first), true)
  await endLeases()
  assert.equal(await prepare(), undefined)
})

test('a release that can not be opened does not keep others waiting', async () => {
  await setAside(stack.database, randomBytes(32), jobOf('another-key', text), [held], facts, true)
  await orderRelease(stack.database, 'another-key', {})
  await holdAndOrder('q')
  await assert.rejects(prepare())
  assert.equal((await prepare())?.queueId, 'q')
})

test('S1-20 infected mail is never released, nor anything of a mail that had a virus in it', async () => {
  await setAsideAs(stack.database, jobOf('q', text), infected)
  assert.deepEqual(await orderRelease(stack.database, 'q', {}), { kind: 'never' })
  await setAsideAs(stack.database, jobOf('q', text), held)
  assert.deepEqual(await orderRelease(stack.database, 'q', {}), { kind: 'never' })
  assert.deepEqual(await orderRelease(stack.database, 'q', { kind: 'held' }), { kind: 'never' })
  await assert.rejects(
    stack.database.query(`update quarantine set state = 'releasing' where kind = 'infected'`),
    /check constraint/,
    'the database itself does not take it',
  )
  assert.equal(await prepare(), undefined)
})

test('what was returned to its sender is not released; what was refused without a word is', async () => {
  const refused = { kind: 'refused' as const, reason: 'depth' as const, recipients: bob }
  await setAsideAs(stack.database, jobOf('returned', text), { ...refused, isReturned: true })
  await setAsideAs(stack.database, jobOf('silent', text), { ...refused, isReturned: false })
  assert.deepEqual(await orderRelease(stack.database, 'returned', {}), { kind: 'never' })
  assert.deepEqual(await orderRelease(stack.database, 'silent', {}), { kind: 'ordered' })
  assert.deepEqual(await orderRelease(stack.database, 'unknown', {}), { kind: 'unknown' })
})

test('a mail is either released or deleted', async () => {
  await holdAndOrder()
  assert.deepEqual(await orderDeletion(stack.database, 'q', {}), { kind: 'settled', state: 'releasing' })
  await setAsideAs(stack.database, jobOf('other', text), held)
  await orderDeletion(stack.database, 'other', {})
  assert.deepEqual(await orderRelease(stack.database, 'other', {}), { kind: 'settled', state: 'deleting' })
})

test('a released mail in which a virus is found now ends in quarantine', async () => {
  await holdAndOrder()
  const job = (await prepare())!
  await claimRelease(stack.database, job)
  await setAsideAs(stack.database, job, infected)
  assert.deepEqual(await traced(stack.database, 'q'), ['bob@example.test quarantined'])
  assert.deepEqual(await orderRelease(stack.database, 'q', {}), { kind: 'never' })
})
