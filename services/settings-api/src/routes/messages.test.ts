// The message trace, as an operator reads it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import { insertTrace, traceEntry } from '@sekimori/store/trace'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

const acceptedAt = Date.parse('2026-01-02T12:00:00Z')
let api: ApiUnderTest

function jobOf(queueId: string, ...recipients: string[]): Job {
  return {
    queueId,
    direction: 'inbound',
    acceptedAt,
    messageId: '<one@sender.example>',
    envelope: { mailFrom: 'stranger@sender.example', recipients: recipients.map((address) => ({ address })) },
    session: { receivedBy: 'mx', clientAddress: '192.0.2.7' },
    added: [],
    struck: [],
    history: [{ stage: 'scan', at: acceptedAt + 5, outcome: 'clean' }],
    content: { kind: 'inline', bytes: Buffer.from('mail') },
  }
}

const delivered = newQueueId(acceptedAt)
const infected = newQueueId(acceptedAt + 60_000)

before(async () => {
  api = await openApi()
  const job = jobOf(delivered, 'bob@example.test', 'carol@example.test')
  const ends = job.envelope.recipients.map(({ address }) => traceEntry(job, address, 'local', 'delivered'))
  await insertTrace(api.database, ends)
  const stopped = jobOf(infected, 'bob@example.test')
  await insertTrace(api.database, [traceEntry(stopped, 'bob@example.test', 'quarantine', 'quarantined')])
})
after(() => api[Symbol.asyncDispose]())

const found = async (query: string) => {
  const { status, body } = await api.call('GET', `/v1/messages?${query}`)
  assert.equal(status, 200)
  return body.items.map((item: { queueId: string; recipient: string }) => [item.queueId, item.recipient])
}

test('where a mail ended is told with every stage and its time', async () => {
  const { body } = await api.call('GET', `/v1/messages?queueId=${delivered}&address=bob@example.test`)
  const [{ endedAt, history, ...end }] = body.items
  assert.deepEqual(end, {
    queueId: delivered,
    acceptedAt: '2026-01-02T12:00:00.000Z',
    direction: 'inbound',
    mailFrom: 'stranger@sender.example',
    recipient: 'bob@example.test',
    messageId: '<one@sender.example>',
    stage: 'local',
    outcome: 'delivered',
  })
  assert.ok(Date.parse(endedAt) > 0)
  assert.deepEqual(history[0], { stage: 'scan', at: '2026-01-02T12:00:00.005Z', outcome: 'clean' })
  assert.deepEqual([history[1].stage, history[1].outcome], ['local', 'delivered'])
})

test('the trace is searched by every parameter', async () => {
  const both = [
    [delivered, 'carol@example.test'],
    [delivered, 'bob@example.test'],
  ]
  assert.deepEqual(await found('outcome=delivered'), both)
  assert.deepEqual(await found('address=CAROL%40example.test'), [both[0]])
  assert.deepEqual(await found(`messageId=${encodeURIComponent('<one@sender.example>')}&outcome=delivered`), both)
  assert.deepEqual(await found('since=2026-01-02T21%3A00%3A30%2B09%3A00'), [[infected, 'bob@example.test']])
  assert.deepEqual(await found('until=2026-01-02T12:00:30Z'), both)
  assert.deepEqual(await found(`queueId=${newQueueId()}`), [])
  for (const wild of ['%25', '%25%40example.test', 'b_b%40example.test', '*%40example.test', '%27'])
    assert.deepEqual(await found(`address=${wild}`), [], wild)
})

test('the trace is paged, newest first', async () => {
  const first = await api.call('GET', '/v1/messages?limit=2')
  const second = await api.call('GET', `/v1/messages?limit=2&cursor=${first.body.nextCursor}`)
  const ids = [...first.body.items, ...second.body.items].map((item: { queueId: string }) => item.queueId)
  assert.deepEqual(ids, [infected, delivered, delivered])
  assert.equal(second.body.nextCursor, undefined)
})

test('times and texts that can not be are refused', async () => {
  const queries = [
    'since=yesterday',
    'since=2016-12-31T23:59:60Z',
    'address=a%00b',
    'queueId=%27',
    'address=a&address=b',
    'since=2026-01-03T00%3A00%3A00Z&until=2026-01-02T00%3A00%3A00Z',
    'limit=0',
    'limit=1000000',
    'cursor=nonsense',
  ]
  for (const query of queries) assert.equal((await api.call('GET', `/v1/messages?${query}`)).status, 400, query)
})
