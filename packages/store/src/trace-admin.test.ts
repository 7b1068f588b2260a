// Searching the message trace on a real Postgres.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newQueueId } from '@sekimori/mail/queue-id'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { insertTrace, type TraceEntry } from './trace.ts'
import { searchTrace } from './trace-admin.ts'
import type { TraceFilter } from './trace-query.ts'

const noon = Date.parse('2026-01-02T12:00:00Z')
const [first, second, third] = [newQueueId(noon - 1), newQueueId(noon), newQueueId(noon + 1)]
const history = [{ stage: 'scan', at: noon, outcome: 'clean' }]
let stack: TestDatabase

function entry(queueId: string, recipient: string, more: Partial<TraceEntry> = {}): TraceEntry {
  const end = { stage: 'local', outcome: 'delivered', mailFrom: 'alice@example.test', direction: 'inbound' }
  return { queueId, recipient, ...end, history: JSON.stringify(history), ...more }
}

before(async () => {
  stack = await createTestDatabase()
  await insertTrace(stack.database, [
    entry(first, 'bob@example.test', { messageId: '<one@example.test>', account: 'alice@example.test' }),
    entry(second, 'bob@example.test', { mailFrom: '' }),
    entry(second, 'Carol@Elsewhere.example', { stage: 'remote', outcome: 'bounced', detail: '550 no', mailFrom: '' }),
    entry(third, 'dave@example.test', { mailFrom: 'bob@example.test' }),
  ])
})
after(() => stack[Symbol.asyncDispose]())

async function search(filter: TraceFilter): Promise<string[][]> {
  const { items } = await searchTrace(stack.database, filter, { limit: 10 })
  return items.map(({ queueId, recipient }) => [queueId, recipient])
}

test('an end is told with its history and what the stage said', async () => {
  const { items } = await searchTrace(stack.database, { outcome: 'bounced' }, { limit: 10 })
  const { endedAt, ...end } = items[0]!
  assert.deepEqual(end, {
    queueId: second,
    recipient: 'Carol@Elsewhere.example',
    stage: 'remote',
    outcome: 'bounced',
    detail: '550 no',
    mailFrom: '',
    direction: 'inbound',
    history,
  })
  assert.ok(Date.parse(endedAt!) > noon)
})

test('without a filter all ends come, newest mail first, page after page', async () => {
  const seen: string[] = []
  let after: string[] | undefined
  do {
    const page = await searchTrace(stack.database, {}, { limit: 1, after })
    seen.push(...page.items.map(({ recipient }) => recipient))
    after = page.next
  } while (after !== undefined && seen.length < 10)
  assert.deepEqual(seen, ['dave@example.test', 'bob@example.test', 'Carol@Elsewhere.example', 'bob@example.test'])
})

test('mail is found by its queue id', async () => {
  assert.deepEqual(await search({ queueId: third }), [[third, 'dave@example.test']])
})

test('mail is found by its Message-ID, with and without brackets', async () => {
  const found = [[first, 'bob@example.test']]
  assert.deepEqual(await search({ messageId: '<one@example.test>' }), found)
  assert.deepEqual(await search({ messageId: 'one@example.test' }), found)
})

test('an address finds what was sent to it, by it and with its login, however it is written', async () => {
  assert.deepEqual(
    (await search({ address: 'BOB@Example.test' })).map(([queueId]) => queueId),
    [third, second, first],
  )
  assert.deepEqual(await search({ address: 'alice@example.test' }), [[first, 'bob@example.test']])
  assert.deepEqual(await search({ address: 'Carol@Elsewhere.example' }), [[second, 'Carol@Elsewhere.example']])
})

test('since is inclusive and until is exclusive, by the time of acceptance', async () => {
  const found = await search({ since: new Date(noon), until: new Date(noon + 1) })
  assert.deepEqual(new Set(found.map(([queueId]) => queueId)), new Set([second]))
  assert.equal((await search({ since: new Date(-1) })).length, 4)
})

test('all filters must hold together', async () => {
  assert.deepEqual(await search({ address: 'bob@example.test', until: new Date(noon) }), [[first, 'bob@example.test']])
  assert.deepEqual(await search({ queueId: first, outcome: 'bounced' }), [])
})
