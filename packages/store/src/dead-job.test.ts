import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Content } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { countDeadJobs, type DeadJob, keepDeadJob, replayNext } from './dead-job.ts'
import { findDeadJob, listDeadJobs, orderReplay } from './dead-job-admin.ts'
import { dropDeadJob } from './dead-job-drop.ts'
import { waitingNotices } from './notice-outbox.ts'
import { findQuarantined } from './quarantine-admin.ts'
import { orderRelease } from './quarantine-order.ts'
import { prepareRelease } from './quarantine-release.ts'
import { held, jobOf, masterKey, setAsideAs, stored, traced } from './testing/mail-set-aside.ts'
import { insertTrace, traceEntry } from './trace.ts'

let db: TestDatabase
before(async () => {
  db = await createTestDatabase()
})
after(() => db[Symbol.asyncDispose]())

const twoRecipients: Partial<Job> = {
  envelope: {
    mailFrom: 'alice@example.test',
    recipients: [{ address: 'a@example.test' }, { address: 'b@example.test' }],
  },
  session: { receivedBy: 'submission', account: 'alice@example.test' },
}

let ids = 0
async function dead(job: Job | undefined, changes: Partial<DeadJob> = {}): Promise<DeadJob> {
  const id = String(++ids).padStart(32, '0')
  const octets = Buffer.from('octets of the message')
  const headers = { traceparent: '00-x' }
  const dead = { id, queue: 'scan', reason: 'Error: x', diedAt: new Date(), message: job, octets, headers, ...changes }
  await keepDeadJob(db.database, dead)
  return dead
}

const inline = (): Content => ({ kind: 'inline', bytes: Buffer.from('Subject: Invoice\r\n\r\nbody') })

test('a dead job is kept once, shown without content, and replayed as it came', async () => {
  const job = jobOf(newQueueId(), 'Subject: secret\r\n\r\nbody')
  const kept = await dead(job)
  await keepDeadJob(db.database, kept)
  const { items } = await listDeadJobs(db.database, { queueId: job.queueId }, { limit: 10 })
  assert.equal(items.length, 1)
  assert.doesNotMatch(JSON.stringify(items), /secret|octets/)
  assert.deepEqual(items[0]?.recipients, ['bob@example.test'])
  assert.equal((await countDeadJobs(db.database)).get('scan'), 1)
  assert.ok(await orderReplay(db.database, kept.id))
  assert.deepEqual(await dropDeadJob(db.database, kept.id), { kind: 'replaying' })
  const published: unknown[] = []
  const away = async () => {
    throw new Error('no confirm')
  }
  await assert.rejects(replayNext(db.database, away))
  assert.equal(await replayNext(db.database, async (...message) => void published.push(message)), true)
  assert.deepEqual(published, [['scan', kept.octets, kept.headers]])
  assert.equal(await replayNext(db.database, away), false)
  assert.equal(await findDeadJob(db.database, kept.id), undefined)
  assert.equal(await orderReplay(db.database, kept.id), false)
})

test('dropping ends the mail for those for whom it had not ended, and frees its content', async () => {
  const queueId = newQueueId()
  const content = await stored(db.database, queueId, [Buffer.from('Subject: Invoice\r\n\r\nbody')])
  const job = jobOf(queueId, content, twoRecipients)
  await insertTrace(db.database, [traceEntry(job, 'a@example.test', 'maildrop', 'delivered')])
  const { id } = await dead(job, { queue: 'deliver-local' })
  assert.deepEqual(await dropDeadJob(db.database, id), { kind: 'dropped', recipients: ['b@example.test'] })
  assert.deepEqual(await traced(db.database, queueId), ['a@example.test delivered', 'b@example.test dropped'])
  assert.equal((await db.database.query('select from content where id = $1', [queueId])).rowCount, 0)
  assert.deepEqual(await waitingNotices(db.database, 10), [])
  assert.deepEqual(await dropDeadJob(db.database, id), { kind: 'unknown' })
})

test('a DSN, if asked for, goes to an authenticated sender only, with the header section', async () => {
  const drop = async (job: Job) => dropDeadJob(db.database, (await dead(job)).id, inline)
  await drop(jobOf(newQueueId(), inline()))
  assert.deepEqual(await waitingNotices(db.database, 10), [])
  const job = jobOf(newQueueId(), inline(), twoRecipients)
  await drop(job)
  const [waiting, ...more] = await waitingNotices(db.database, 10)
  assert.equal(more.length, 0)
  assert.ok(waiting?.notice.kind === 'undelivered')
  assert.deepEqual(
    waiting.notice.recipients.map(({ address }) => address),
    ['a@example.test', 'b@example.test'],
  )
  assert.deepEqual(waiting.notice.content, { kind: 'inline', bytes: Buffer.from('Subject: Invoice\r\n\r\n') })
})

test('a dropped notice ends nobody’s mail; what can not be decoded has no recipients', async () => {
  const { content, ...job } = jobOf(newQueueId(), inline())
  const notice = { kind: 'infected', signature: 'Eicar', job, content } as { content: Content }
  const { id } = await dead(undefined, { queue: 'notify', message: notice })
  assert.equal((await findDeadJob(db.database, id))?.notice, 'infected')
  await dropDeadJob(db.database, id)
  const { rows } = await db.database.query('select stage, outcome from message_trace where queue_id = $1', [
    job.queueId,
  ])
  assert.deepEqual(rows, [{ stage: 'notice', outcome: 'dropped' }])
  const undecodable = await dead(undefined)
  assert.deepEqual(await dropDeadJob(db.database, undecodable.id), { kind: 'dropped', recipients: [] })
})

test('a release whose job is dropped has not happened: the mail is in quarantine as before', async () => {
  const queueId = newQueueId()
  await setAsideAs(db.database, jobOf(queueId, 'Subject: Invoice\r\n\r\nbody'), held)
  const state = async () => (await findQuarantined(db.database, queueId))[0]?.state
  await orderRelease(db.database, queueId, {})
  const job = (await prepareRelease(db.database, masterKey, 1_000))!
  const { id } = await dead(job)
  assert.equal(await state(), 'releasing')
  assert.deepEqual(await dropDeadJob(db.database, id), { kind: 'dropped', recipients: [] })
  assert.equal(await state(), 'kept')
  assert.deepEqual(await traced(db.database, queueId), ['bob@example.test held'])
  assert.equal((await db.database.query('select from content where id like $1', [`${queueId}%`])).rowCount, 0)
  await orderRelease(db.database, queueId, {})
  const again = (await prepareRelease(db.database, masterKey, 1_000))!
  assert.notEqual(again.released?.token, job.released?.token)
})
