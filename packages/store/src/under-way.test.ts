// Mail that lies in a queue is found in the trace, in the same ways as mail that has ended; what ends soon costs no row.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { serviceStandIn } from '@sekimori/testing/test-service'
import type { Queryable } from './database.ts'
import { keepDeadJob } from './dead-job.ts'
import { orderReplay } from './dead-job-admin.ts'
import { recordAttempt } from './deferred.ts'
import { jobOf } from './testing/mail-set-aside.ts'
import { insertTrace, traceEntry } from './trace.ts'
import { searchTrace } from './trace-admin.ts'
import type { TraceFilter, TraceScope } from './trace-query.ts'
import { noteUnderWay, sweepUnderWay, underWay } from './under-way.ts'
import { UnderWayNotebook } from './under-way-notebook.ts'

const ALICE = 'alice@example.test'
const [FRIEND, BOB] = ['Friend@remote.test', 'Bob@Example.test']
const DAY_MS = 86_400_000
const { log } = serviceStandIn()
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
beforeEach(() => stack.database.query('truncate mail_under_way'))
after(() => stack[Symbol.asyncDispose]())

const accepted = (at = Date.now()): Job =>
  jobOf(newQueueId(at), 'Subject: x\r\n\r\n', {
    direction: 'submission',
    messageId: `<${at}@example.test>`,
    envelope: { mailFrom: ALICE, recipients: [{ address: FRIEND }, { address: BOB }] },
    session: { receivedBy: 'submission', account: ALICE },
    history: [{ stage: 'submission', at, outcome: 'accepted 4 octets' }],
  })
const search = async (filter: TraceFilter, scope?: TraceScope) =>
  (await searchTrace(stack.database, filter, { limit: 10 }, scope)).items
const shown = async (filter: TraceFilter, scope?: TraceScope) =>
  (await search(filter, scope)).map(({ recipient, outcome }) => `${recipient} ${outcome}`)
const rows = async () => (await stack.database.query('select from mail_under_way')).rowCount

test('mail in a queue is shown with what its edge knows, and found in every way, by those whom it concerns', async () => {
  const job = accepted()
  await noteUnderWay(stack.database, underWay(job))
  const [item] = await search({ queueId: job.queueId })
  assert.deepEqual(item, {
    queueId: job.queueId,
    recipient: FRIEND,
    stage: 'submission',
    outcome: 'under-way',
    mailFrom: ALICE,
    account: ALICE,
    messageId: job.messageId,
    direction: 'submission',
    history: job.history,
  })
  const both = [`${FRIEND} under-way`, `${BOB} under-way`]
  const ways: TraceFilter[] = [{}, { messageId: job.messageId }, { address: ALICE }, { outcome: 'under-way' }]
  for (const way of [...ways, { since: new Date(job.acceptedAt) }]) assert.deepEqual(await shown(way), both)
  assert.deepEqual(await shown({ address: FRIEND.toUpperCase() }), both.slice(0, 1))
  assert.deepEqual(await shown({ outcome: 'delivered' }), [])
  assert.deepEqual(await shown({}, { kind: 'account', address: ALICE }), both)
  assert.deepEqual(await shown({}, { kind: 'account', address: 'bob@example.test' }), both.slice(1))
  assert.deepEqual(await shown({}, { kind: 'account', address: 'carol@example.test' }), [])
  assert.deepEqual(await shown({}, { kind: 'domains', domains: ['example.test'] }), both)
  assert.deepEqual(await shown({}, { kind: 'domains', domains: ['other.test'] }), [])
})

test('an end takes its place, however the recipient is spelled, and so does the schedule', async () => {
  const job = accepted()
  await noteUnderWay(stack.database, underWay(job))
  await insertTrace(stack.database, [traceEntry(job, 'bob@example.test', 'maildrop', 'delivered')])
  assert.deepEqual(await shown({ queueId: job.queueId }), ['bob@example.test delivered', `${FRIEND} under-way`])
  assert.equal(await rows(), 1)
  const waits = { recipient: FRIEND, attempts: 1, lastReply: '450 busy', nextAttemptAt: new Date() }
  await recordAttempt(stack.database, job, { ended: [], deferred: [waits] }, new Date(Date.now() + DAY_MS))
  assert.deepEqual(await shown({ queueId: job.queueId }), ['bob@example.test delivered', `${FRIEND} deferred`])
  await recordAttempt(
    stack.database,
    job,
    { ended: [traceEntry(job, FRIEND, 'remote', 'sent')], deferred: [] },
    new Date(),
  )
  assert.deepEqual(await shown({ queueId: job.queueId }), ['bob@example.test delivered', `${FRIEND} sent`])
  assert.equal(await rows(), 0)
})

test('a row that came in the moment of the end is not shown and is swept, as is one older than the trace', async () => {
  const job = accepted()
  const old = accepted(Date.now() - 40 * DAY_MS)
  const late = accepted()
  for (const mail of [old, late, job]) await noteUnderWay(stack.database, underWay(mail))
  await stack.database.transaction(async (client) => {
    await client.query("set local session_replication_role = 'replica'") // no triggers: as if the row was not there yet
    await insertTrace(client, [traceEntry(late, FRIEND, 'remote', 'sent')])
  })
  assert.deepEqual(await shown({ queueId: late.queueId }), [`${FRIEND} sent`, `${BOB} under-way`])
  assert.equal(await rows(), 6)
  assert.equal(await sweepUnderWay(stack.database, 30 * DAY_MS), 3)
  assert.deepEqual(await shown({ outcome: 'under-way' }), [late, job].sort(byId).flatMap(openOf(late)))
})

const byId = (one: Job, other: Job) => (one.queueId < other.queueId ? 1 : -1)
const openOf = (late: Job) => (job: Job) => (job === late ? [BOB] : [FRIEND, BOB]).map((to) => `${to} under-way`)

test('the notebook writes no row for mail that ends in time, and one for what takes longer, also at its end', async () => {
  const [fast, slow, last] = [accepted(), accepted(), accepted()]
  const ends = [FRIEND, 'bob@example.test'].map((to) => traceEntry(fast, to, 'maildrop', 'delivered'))
  await insertTrace(stack.database, ends)
  {
    await using notebook = new UnderWayNotebook(stack.database, log, 20)
    notebook.note(fast)
    notebook.note(slow)
    await eventually(async () => (await shown({ queueId: slow.queueId })).length === 2 || undefined)
    assert.equal(await rows(), 2)
    await using later = new UnderWayNotebook(stack.database, log, 3_600_000)
    later.note(last)
  }
  assert.equal((await shown({ queueId: last.queueId })).length, 2)
})

test('while Postgres is away the notebook keeps what it has; what Postgres refuses does not stand in the way', async () => {
  const [first, second] = [accepted(), accepted()]
  let refusals = 0
  const troubled: Queryable = {
    query: (text, values) => {
      if (++refusals <= 2) throw new DependencyAway('postgres')
      if (refusals === 3) throw new Error('no such text')
      return stack.database.query(text, values)
    },
  }
  await using notebook = new UnderWayNotebook(troubled, log, 20)
  notebook.note(first)
  await eventually(() => refusals >= 3)
  notebook.note(second)
  await eventually(async () => (await shown({ queueId: second.queueId })).length === 2)
  assert.deepEqual(await shown({ queueId: first.queueId }), [])
})

test('the mail of a job that was given up is shown as stuck until it goes on', async () => {
  const job = accepted()
  const { content, ...header } = job
  const dead = { id: job.queueId, queue: 'scan', reason: 'clamd has no word for it', diedAt: new Date() }
  await keepDeadJob(stack.database, { ...dead, message: { ...header, content }, octets: Buffer.alloc(1), headers: {} })
  const [item] = await search({ queueId: job.queueId })
  assert.deepEqual([item!.stage, item!.outcome], ['dead', 'stuck'])
  assert.doesNotMatch(JSON.stringify(item), /clamd/)
  assert.deepEqual(await shown({ outcome: 'stuck' }), [`${FRIEND} stuck`, `${BOB} stuck`])
  await orderReplay(stack.database, job.queueId)
  assert.deepEqual(await shown({ queueId: job.queueId }), [`${FRIEND} under-way`, `${BOB} under-way`])
})
