import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { JobHeader } from '@sekimori/mail/job'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { ContentGone, confirmContent, passContent, storeContent } from './content.ts'
import { inspectContents, sweepUnconfirmed } from './content-sweep.ts'
import { unlessEnded } from './ended-mail.ts'
import { jobOf } from './testing/mail-set-aside.ts'
import { addAccount } from './testing/warnings.ts'
import { insertTrace, traceEntry } from './trace.ts'

const DAY_MS = 86_400_000
let db: TestDatabase
before(async () => {
  db = await createTestDatabase()
})
after(() => db[Symbol.asyncDispose]())
beforeEach(() => db.database.query('truncate content cascade'))

async function* chunks(...parts: string[]): AsyncIterable<Buffer> {
  for (const part of parts) yield Buffer.from(part)
}

const store = (id: string) => storeContent(db.database, id, `${id}/inbound`, chunks('one', 'two'))

/** Lets all that is stored grow older. */
async function age(days: number): Promise<void> {
  const back = `interval '${days} days'`
  await db.database.query(`update content set created_at = created_at - ${back}`)
  await db.database.query(`update content_use set pending_since = pending_since - ${back}`)
}

const left = async () => (await db.database.query('select id from content order by id')).rows.map(({ id }) => id)

/** One whole sweep, in stretches of two contents. */
async function sweep(): Promise<{ unconfirmed: number; freed: string[]; damaged: string[] }> {
  const unconfirmed = await sweepUnconfirmed(db.database, DAY_MS, 100)
  const [freed, damaged]: [string[], string[]] = [[], []]
  for (let at: string | undefined = ''; at !== undefined; ) {
    const found = await inspectContents(db.database, at, DAY_MS, 2)
    freed.push(...found.freed)
    damaged.push(...found.damaged)
    at = found.last
  }
  return { unconfirmed, freed, damaged }
}

test('what an edge stored and never confirmed is freed after its time, half a content too; what it confirmed never is', async () => {
  await store('accepted')
  await confirmContent(db.database, 'accepted', 'accepted/inbound')
  await store('orphan')
  await store('half')
  await db.database.query(`update content set size_bytes = -1 where id = 'half'`)
  await age(0.9)
  assert.equal((await sweep()).unconfirmed, 0)
  await age(400)
  await store('young')
  assert.deepEqual(await sweep(), { unconfirmed: 2, freed: [], damaged: [] })
  assert.deepEqual(await left(), ['accepted', 'young'])
})

test('a mail whose confirm was lost, and that went on all the same, keeps its content', async () => {
  await store('onward')
  assert.ok(await passContent(db.database, 'onward', 'onward/inbound', ['onward/a', 'onward/b']))
  await store('delivered')
  const accountId = await addAccount(db.database, 'bob@example.test')
  await db.database.query(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes) values ($1, 'q', 'delivered', '', 6)`,
    [accountId],
  )
  await age(2)
  await sweep()
  assert.deepEqual(await left(), ['delivered', 'onward'])
})

test('what nobody refers to is freed, and what is needed but not whole is reported', async () => {
  for (const id of ['a-unused', 'b-short', 'c-whole', 'd-unfinished', 'e-unused']) {
    await store(id)
    await confirmContent(db.database, id, `${id}/inbound`)
  }
  await db.database.query(`delete from content_use where content_id like '%unused'`)
  await db.database.query(`update content_chunk set bytes = 'on' where content_id = 'b-short'`)
  await db.database.query(`update content set size_bytes = -1 where id = 'd-unfinished'`)
  await db.database.query(`insert into content (id, size_bytes, bytes) values ('f-small', 2, 'xy')`)
  await db.database.query(`insert into content_use values ('f-small', 'x/inbound')`)
  assert.deepEqual(await sweep(), { unconfirmed: 0, freed: [], damaged: [] })
  await age(2)
  const found = await sweep()
  assert.deepEqual(found, { unconfirmed: 0, freed: ['a-unused', 'e-unused'], damaged: ['b-short', 'd-unfinished'] })
  assert.deepEqual(await left(), ['b-short', 'c-whole', 'd-unfinished', 'f-small'])
})

/** Whether a job of these recipients, whose content is gone, counts as done. */
async function isDone(queueId: string, recipients: string[], more: Partial<JobHeader> = {}): Promise<boolean> {
  const handle = unlessEnded(db.database, async (_job: JobHeader) => {
    throw new ContentGone('gone')
  })
  const { content: _, ...header } = jobOf(queueId, 'x')
  const envelope = { ...header.envelope, recipients: recipients.map((address) => ({ address })) }
  const job = { ...header, ...more, envelope }
  return handle(job).then(
    () => true,
    (error) => {
      assert.ok(error instanceof ContentGone, String(error))
      return false
    },
  )
}

const endAt = (queueId: string, recipient: string, stage: string, outcome: string) =>
  insertTrace(db.database, [traceEntry(jobOf(queueId, 'x'), recipient, stage, outcome)])

test('a job whose content is gone is done when each of its own recipients has an end, and an error otherwise', async () => {
  const [bob, carol, away] = ['bob@example.test', 'carol@example.test', 'Friend@away.test']
  assert.equal(await isDone('lost', [bob]), false)
  await endAt('two', bob, 'maildrop', 'delivered')
  assert.equal(await isDone('two', [bob]), true)
  assert.equal(await isDone('two', [bob, carol]), false)
  assert.equal(await isDone('two', [carol]), false)
  await endAt('two', carol, 'list', 'expanded')
  assert.equal(await isDone('two', ['Bob@Example.TEST', carol]), true)
  assert.equal(await isDone('two', [bob, carol, away]), false)
  // Elsewhere Friend and friend may be two people.
  await endAt('two', away.toLowerCase(), 'remote', 'sent')
  assert.equal(await isDone('two', [away]), false)
  await endAt('two', away, 'remote', 'bounced')
  assert.equal(await isDone('two', [bob, carol, away]), true)
})

test('a warning about a mail, or its being held, is no end of what was released', async () => {
  const bob = 'bob@example.test'
  const released = { reason: 'encrypted', direction: 'inbound', kind: 'held', token: 't' } as const
  await endAt('warned', bob, 'warning', 'suspended')
  assert.equal(await isDone('warned', [bob]), false)
  await endAt('set-aside', bob, 'quarantine', 'held')
  assert.equal(await isDone('set-aside', [bob]), true)
  assert.equal(await isDone('set-aside', [bob], { released }), false)
})

test('a fault of another kind stays one, also of a mail that has ended', async () => {
  await endAt('ended', 'bob@example.test', 'maildrop', 'delivered')
  const { content: _, ...job } = jobOf('ended', 'x')
  const other = unlessEnded(db.database, async (_job: JobHeader) => {
    throw new Error('another fault')
  })
  await assert.rejects(other(job), /another fault/)
})
