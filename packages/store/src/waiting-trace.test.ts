// Mail that waits for its next delivery attempt is found in the trace, in the same ways as mail that has ended.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newQueueId } from '@sekimori/mail/queue-id'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { recordAttempt } from './deferred.ts'
import { jobOf } from './testing/mail-set-aside.ts'
import { traceEntry } from './trace.ts'
import { searchTrace } from './trace-admin.ts'
import type { TraceFilter, TraceScope } from './trace-query.ts'

const TO = 'Friend@remote.test'
const ALICE = 'alice@example.test'
const EXPIRES_AT = new Date('2026-02-01T00:00:00Z')
const NEXT = new Date('2026-01-02T13:00:00Z')
const queueId = newQueueId(Date.parse('2026-01-02T12:00:00Z'))
const job = jobOf(queueId, 'Subject: x\r\n\r\n', {
  direction: 'outbound',
  messageId: '<one@example.test>',
  envelope: { mailFrom: ALICE, recipients: [{ address: TO }] },
  session: { receivedBy: 'submission', account: ALICE },
  history: [{ stage: 'submission', at: 1, outcome: 'accepted' }],
})
const remote = {
  reply: '450 busy',
  server: 'mx.remote.test[192.0.2.1]',
  tls: { version: 'TLSv1.3', cipher: 'X', peer: 'CN=mx', verification: 'trusted' },
}
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
  const waits = { recipient: TO, attempts: 1, lastReply: '4.2.1 450 busy', nextAttemptAt: NEXT }
  await recordAttempt(stack.database, job, { ended: [], deferred: [{ ...waits, remote }] }, EXPIRES_AT)
})
after(() => stack[Symbol.asyncDispose]())

const search = async (filter: TraceFilter, scope?: TraceScope) =>
  (await searchTrace(stack.database, filter, { limit: 10 }, scope)).items

test('waiting mail is shown with its next attempt and what the server said last', async () => {
  const [item] = await search({ queueId })
  const { history, waiting, endedAt, ...rest } = item!
  assert.deepEqual(rest, {
    queueId,
    recipient: TO,
    stage: 'remote',
    outcome: 'deferred',
    detail: '4.2.1 450 busy',
    mailFrom: ALICE,
    account: ALICE,
    messageId: '<one@example.test>',
    direction: 'outbound',
  })
  assert.equal(endedAt, undefined)
  const times = { nextAttemptAt: NEXT.toISOString(), expiresAt: EXPIRES_AT.toISOString() }
  assert.deepEqual(waiting, { attempts: 1, ...times, isHeld: false, isInHand: false })
  assert.deepEqual(history[0], job.history[0])
  assert.deepEqual([history[1]!.stage, history[1]!.outcome, history[1]!.remote], ['remote', 'deferred', remote])
})

test('it is found by everything that finds an end, and by nobody whom it does not concern', async () => {
  const filters: TraceFilter[] = [
    {},
    { messageId: 'one@example.test' },
    { address: TO.toLowerCase() },
    { address: ALICE },
    { outcome: 'deferred' },
    { since: new Date('2026-01-02T12:00:00Z'), until: new Date('2026-01-02T12:00:01Z') },
  ]
  for (const filter of filters) assert.equal((await search(filter)).length, 1, JSON.stringify(filter))
  assert.deepEqual(await search({ outcome: 'sent' }), [])
  assert.deepEqual(await search({ until: new Date('2026-01-02T12:00:00Z') }), [])
  assert.equal((await search({}, { kind: 'account', address: ALICE })).length, 1)
  assert.deepEqual(await search({}, { kind: 'account', address: 'bob@example.test' }), [])
  assert.equal((await search({}, { kind: 'domains', domains: ['example.test'] })).length, 1)
  assert.deepEqual(await search({}, { kind: 'domains', domains: ['other.test'] }), [])
})

test('to be put off without an attempt leaves what the server said, and an end takes its place', async () => {
  const postponed = { recipient: TO, attempts: 1, lastReply: '4.4.5 no dialogue is free', nextAttemptAt: NEXT }
  await recordAttempt(stack.database, job, { ended: [], deferred: [postponed] }, EXPIRES_AT)
  const [item] = await search({ queueId })
  assert.deepEqual(item!.history.at(-1)!.remote, remote)
  const end = traceEntry(job, TO, 'remote', 'sent', '250 ok', { reply: '250 ok' })
  await recordAttempt(stack.database, job, { ended: [end], deferred: [] }, EXPIRES_AT)
  const [ended, ...more] = await search({ queueId })
  assert.deepEqual([ended!.outcome, ended!.waiting, more], ['sent', undefined, []])
  assert.deepEqual(ended!.history.at(-1)!.remote, { reply: '250 ok' })
})
