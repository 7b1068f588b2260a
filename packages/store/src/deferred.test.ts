// Deferred mail on a real Postgres: nothing is lost and nothing left over, however attempts and replicas meet.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { contentHolder } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { storeContent } from './content.ts'
import {
  type AttemptResult,
  openEndRecorder,
  REMOTE_STAGE,
  recordAttempt,
  releaseJob,
  settledRecipients,
} from './deferred.ts'
import { leaseDueMail, markDelayNotified, renewLeases } from './deferred-lease.ts'
import { traceEntry } from './trace.ts'

const LEASE_MS = 60_000
const EXPIRES_AT = new Date(Date.now() + 5 * 86_400_000)
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(() =>
  stack.database.query('truncate deferred_delivery, deferred_mail, content_use, content, message_trace cascade'),
)

const job = (queueId: string, ...recipients: string[]): Job => ({
  queueId,
  direction: 'outbound',
  acceptedAt: Date.now(),
  envelope: { mailFrom: 'alice@example.test', recipients: recipients.map((address) => ({ address })) },
  session: { receivedBy: 'submission', account: 'alice@example.test' },
  added: [],
  struck: [],
  history: [],
  content: { kind: 'inline', bytes: Buffer.from('Subject: x\r\n\r\nbody\r\n') },
})

async function storedJob(queueId: string, ...recipients: string[]): Promise<Job> {
  const bytes = Buffer.from('Subject: stored\r\n\r\nbody\r\n')
  const input = (async function* () {
    yield bytes
  })()
  const sizeBytes = await storeContent(stack.database, queueId, contentHolder(queueId, 'outbound'), input)
  return { ...job(queueId, ...recipients), content: { kind: 'stored', id: queueId, sizeBytes } }
}

const ended = (mail: Job, ...recipients: string[]): AttemptResult => ({
  ended: recipients.map((recipient) => traceEntry(mail, recipient, REMOTE_STAGE, 'sent', '250 ok')),
  deferred: [],
})
const deferred = (nextAttemptAt: Date, ...recipients: string[]): AttemptResult => ({
  ended: [],
  deferred: recipients.map((recipient) => ({ recipient, attempts: 1, lastReply: '451 later', nextAttemptAt })),
})
const due = () => new Date(Date.now() - 1_000)
const later = () => new Date(Date.now() + 3_600_000)
const record = (mail: Job, result: AttemptResult) => recordAttempt(stack.database, mail, result, EXPIRES_AT)
const count = async (table: string) => {
  const { rows } = await stack.database.query<{ count: number }>(`select count(*)::int as count from ${table}`)
  return rows[0]!.count
}

test('a deferred recipient comes back with its mail, its attempts and its expiry', async () => {
  const mail = job('q1', 'bob@remote.test', 'carol@other.test')
  await record(mail, deferred(due(), 'bob@remote.test'))
  await record(mail, deferred(later(), 'carol@other.test'))
  const [found, ...others] = await leaseDueMail(stack.database, 10, LEASE_MS)
  assert.deepEqual(others, [])
  assert.deepEqual(found?.job.envelope.recipients, [{ address: 'bob@remote.test' }])
  assert.deepEqual(found?.attempts, new Map([['bob@remote.test', 1]]))
  assert.deepEqual(found?.expiresAt, EXPIRES_AT)
  assert.deepEqual(found?.job.content, { kind: 'stored', id: 'q1.deferred', sizeBytes: 20 })
})

test('replicas that look at the same time lease each mail once, all of them together', async () => {
  for (let index = 0; index < 40; index++)
    await record(job(`q${index}`, 'b@remote.test'), deferred(due(), 'b@remote.test'))
  await using other = await stack.openAnother()
  const leases = await Promise.all(
    Array.from({ length: 8 }, (_, index) => leaseDueMail(index % 2 === 0 ? stack.database : other, 5, LEASE_MS)),
  )
  const queueIds = leases.flat().map((found) => found.job.queueId)
  assert.equal(new Set(queueIds).size, queueIds.length)
  const rest = await leaseDueMail(other, 100, LEASE_MS)
  assert.equal(queueIds.length + rest.length, 40)
})

test('a lease that ran out frees the mail, and one that is renewed does not', async () => {
  for (const queueId of ['crashed', 'busy'])
    await record(job(queueId, 'b@remote.test'), deferred(due(), 'b@remote.test'))
  const leased = await leaseDueMail(stack.database, 10, LEASE_MS)
  assert.equal(leased.length, 2)
  await stack.database.query("update deferred_delivery set leased_until = now() - interval '1 s'")
  await renewLeases(
    stack.database,
    leased.filter((mail) => mail.job.queueId === 'busy'),
    LEASE_MS,
  )
  const again = await leaseDueMail(stack.database, 10, LEASE_MS)
  assert.deepEqual(
    again.map((mail) => mail.job.queueId),
    ['crashed'],
  )
})

test('a renewal that comes after the result does not hold up the next attempt', async () => {
  const mail = job('q1', 'b@remote.test')
  await record(mail, deferred(due(), 'b@remote.test'))
  const leased = await leaseDueMail(stack.database, 10, LEASE_MS)
  await record(mail, deferred(due(), 'b@remote.test'))
  await renewLeases(stack.database, leased, LEASE_MS)
  assert.equal((await leaseDueMail(stack.database, 10, LEASE_MS)).length, 1)
})

test('with the last recipient the waiting mail goes, and its content', async () => {
  const mail = job('q1', 'bob@remote.test', 'carol@remote.test')
  await record(mail, deferred(due(), 'bob@remote.test', 'carol@remote.test'))
  await record(mail, ended(mail, 'bob@remote.test'))
  assert.deepEqual([await count('deferred_mail'), await count('content')], [1, 1])
  await record(mail, ended(mail, 'carol@remote.test'))
  assert.deepEqual([await count('deferred_mail'), await count('content'), await count('message_trace')], [0, 0, 2])
})

test('a recipient that has ended never waits again', async () => {
  const mail = job('q1', 'bob@remote.test')
  await record(mail, ended(mail, 'bob@remote.test'))
  await record(mail, deferred(due(), 'bob@remote.test'))
  assert.deepEqual(await leaseDueMail(stack.database, 10, LEASE_MS), [])
  assert.deepEqual([await count('deferred_mail'), await count('content')], [0, 0])
})

test('content that a job holds outlives the end of its first recipients', async () => {
  const mail = await storedJob('q1', 'bob@remote.test', 'carol@other.test')
  await record(mail, ended(mail, 'bob@remote.test'))
  assert.equal(await count('content'), 1)
  await record(mail, deferred(due(), 'carol@other.test'))
  await releaseJob(stack.database, mail)
  assert.deepEqual([await count('content'), await count('content_use')], [1, 0])
  await record(mail, ended(mail, 'carol@other.test'))
  assert.equal(await count('content'), 0)
})

test('content that a job holds goes when all recipients have ended at the first attempt', async () => {
  const mail = await storedJob('q1', 'bob@remote.test')
  await openEndRecorder(stack.database)(ended(mail, 'bob@remote.test').ended)
  await releaseJob(stack.database, mail)
  assert.deepEqual([await count('content'), await count('content_use')], [0, 0])
})

test('ends and deferrals of one mail at the same time lose nobody', async () => {
  await using other = await stack.openAnother()
  for (let round = 0; round < 20; round++) {
    const mail = job(`q${round}`, 'bob@remote.test', 'carol@other.test')
    await record(mail, deferred(due(), 'bob@remote.test'))
    await Promise.all([
      recordAttempt(other, mail, ended(mail, 'bob@remote.test'), EXPIRES_AT),
      record(mail, deferred(due(), 'carol@other.test')),
    ])
    const settled = await settledRecipients(stack.database, mail.queueId)
    assert.deepEqual([...settled].sort(), ['bob@remote.test', 'carol@other.test'])
    const [waiting] = await leaseDueMail(stack.database, 1, LEASE_MS)
    assert.deepEqual(waiting?.job.envelope.recipients, [{ address: 'carol@other.test' }])
  }
})

test('a sender that was told of the delay is known at the next attempt', async () => {
  const mail = job('q1', 'bob@remote.test', 'carol@remote.test')
  await record(mail, deferred(due(), 'bob@remote.test', 'carol@remote.test'))
  await markDelayNotified(stack.database, 'q1', ['carol@remote.test'])
  const [found] = await leaseDueMail(stack.database, 1, LEASE_MS)
  assert.deepEqual(found?.notified, new Set(['carol@remote.test']))
})

test('a reply with octets that Postgres does not take is kept without them', async () => {
  const mail = job('q1', 'bob@remote.test')
  mail.envelope.envid = 'a\0b'
  const result = deferred(due(), 'bob@remote.test')
  result.deferred[0]!.lastReply = '451 no\0pe'
  await record(mail, result)
  const { rows } = await stack.database.query('select last_reply from deferred_delivery')
  assert.deepEqual(rows, [{ last_reply: '451 nope' }])
})
