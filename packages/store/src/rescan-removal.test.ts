import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { readHead } from './content.ts'
import { type Lead, takeLead } from './leadership.ts'
import { insertCopies } from './maildrop-delivery.ts'
import { acquireLease, releaseLease } from './maildrop-lease.ts'
import { waitingNotices } from './notice-outbox.ts'
import { findQuarantined } from './quarantine-admin.ts'
import { readSealed } from './quarantine-content.ts'
import { countWaiting, type Finding, recordFinding, removableFindings, removeInfected } from './rescan-removal.ts'
import { jobOf, masterKey, traced } from './testing/mail-set-aside.ts'
import { addAccount } from './testing/warnings.ts'
import { traceEntry } from './trace.ts'

let db: TestDatabase
const lead: Lead = { work: 'rescan', holder: 'test', lifeMs: 3_600_000 }
before(async () => {
  db = await createTestDatabase()
  await takeLead(db.database, lead)
})
after(() => db[Symbol.asyncDispose]())

const bytes = Buffer.from('Subject: Invoice\r\n\r\nlurking\r\n')
let accounts = 0

interface Owner {
  id: number
  address: string
}

async function addOwner(): Promise<Owner> {
  const address = `u${++accounts}@example.test`
  return { id: await addAccount(db.database, address), address }
}

/** One mail in several maildrops, and what a rescan has found in it. */
async function delivered(owners: Owner[], changes: Partial<Job> = {}, detail?: string): Promise<Finding> {
  const queueId = newQueueId()
  const job = jobOf(queueId, 'x', changes)
  const copies = owners.map(({ id, address }) => {
    const trace = traceEntry(job, address, 'maildrop', 'delivered', detail)
    return { accountId: id, contentId: queueId, bytes, added: Buffer.from('X: y\r\n'), struck: [], sizeBytes: 9, trace }
  })
  await insertCopies(db.database, copies)
  const finding = { contentId: queueId, signature: 'Late', engine: 'ClamAV 1/2' }
  await recordFinding(db.database, lead, finding)
  return finding
}

const remove = (finding: Finding) => removeInfected(db.database, masterKey, finding, () => ({ subject: 'Invoice' }))
const noticesOf = async ({ contentId }: Finding) =>
  (await waitingNotices(db.database, 1_000)).map(({ notice }) => notice).filter(({ job }) => job.queueId === contentId)

test('all copies leave in one step: quarantine, trace and a notice for each owner; the plain content is gone', async () => {
  const owners = [await addOwner(), await addOwner()]
  const history = [{ stage: 'submission', at: 1, outcome: 'accepted' }]
  const session = { receivedBy: 'submission', account: 'alice@example.test' } as const
  const finding = await delivered(owners, { history, session }, 'via list staff@example.test')
  assert.equal(await remove(finding), 2)
  assert.equal(await remove(finding), 0)
  const [record, ...more] = await findQuarantined(db.database, finding.contentId)
  assert.equal(more.length, 0)
  assert.deepEqual([record?.kind, record?.signature, record?.sizeBytes], ['infected', 'Late', bytes.length])
  assert.deepEqual(record?.session, session)
  const id = { queueId: finding.contentId, direction: 'inbound', kind: 'infected' } as const
  assert.equal(String(await readHead(readSealed(db.database, masterKey, id))), 'Subject: Invoice\r\n\r\n')
  const ends = owners.flatMap(({ address }) => [`${address} delivered`, `${address} quarantined`])
  assert.deepEqual(await traced(db.database, finding.contentId), ends)
  const notices = await noticesOf(finding)
  assert.deepEqual(
    notices.map(({ job }) => job.envelope.recipients),
    owners.map(({ address }) => [{ address }]),
  )
  for (const notice of notices) {
    assert.ok(notice.kind === 'infected')
    assert.deepEqual(notice.delivered, { list: 'staff@example.test' })
    assert.equal(notice.job.session.account, 'alice@example.test')
  }
  for (const table of ['content where id', 'maildrop_message where content_id']) {
    const { rowCount } = await db.database.query(`select from ${table} = $1`, [finding.contentId])
    assert.equal(rowCount, 0, table)
  }
  assert.equal((await db.database.query('select from maildrop_lease')).rowCount, 0)
})

test('a maildrop that a session has keeps its copy until the session ends; it joins the same record then', async () => {
  const [open, closed] = [await addOwner(), await addOwner()]
  const finding = await delivered([open, closed])
  const lease = { accountId: open.id, holder: 'session' }
  assert.ok(await acquireLease(db.database, lease, 60_000))
  assert.equal(await remove(finding), 1)
  assert.equal(await remove(finding), 0)
  assert.equal(await countWaiting(db.database), 1)
  assert.deepEqual(await removableFindings(db.database, 10), [])
  await releaseLease(db.database, lease)
  assert.deepEqual(await removableFindings(db.database, 10), [finding])
  assert.equal(await remove(finding), 1)
  const [record] = await findQuarantined(db.database, finding.contentId)
  assert.deepEqual(record?.envelope.recipients, [{ address: closed.address }, { address: open.address }])
  assert.equal((await noticesOf(finding)).length, 2)
})

test('the lock of a session that is gone has run out, and is taken over', async () => {
  const owner = await addOwner()
  const finding = await delivered([owner])
  await acquireLease(db.database, { accountId: owner.id, holder: 'gone' }, -1)
  assert.equal(await remove(finding), 1)
  assert.ok(await acquireLease(db.database, { accountId: owner.id, holder: 'next' }, 1_000))
})

test('two processes at the same time take each copy out once', async () => {
  const owners = await Promise.all(Array.from({ length: 8 }, addOwner))
  const finding = await delivered(owners)
  const counts = await Promise.all(Array.from({ length: 4 }, () => remove(finding)))
  assert.equal(
    counts.reduce((sum, count) => sum + count),
    owners.length,
  )
  assert.equal((await noticesOf(finding)).length, owners.length)
})

test('a copy that is delivered after the finding leaves, too', async () => {
  const [first, late] = [await addOwner(), await addOwner()]
  const finding = await delivered([first])
  await remove(finding)
  const job = jobOf(finding.contentId, 'x')
  const trace = traceEntry(job, late.address, 'maildrop', 'delivered')
  const copy = {
    accountId: late.id,
    contentId: finding.contentId,
    bytes,
    added: Buffer.alloc(0),
    struck: [],
    sizeBytes: 9,
  }
  await insertCopies(db.database, [{ ...copy, trace }])
  assert.deepEqual(await removableFindings(db.database, 10), [finding])
  assert.equal(await remove(finding), 1)
})
