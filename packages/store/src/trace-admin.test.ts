// Searching the message trace on a real Postgres.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newQueueId } from '@sekimori/mail/queue-id'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { insertTrace, type TraceEntry } from './trace.ts'
import { searchTrace } from './trace-admin.ts'
import type { TraceFilter, TraceScope } from './trace-query.ts'

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

test('an operator is shown of an address what concerns its domains, of its own address all, whatever else is asked', async () => {
  const foundBy = async (domains: string[], filter: TraceFilter) => {
    const { items } = await searchTrace(stack.database, filter, { limit: 10 }, { kind: 'domains', domains })
    return items.map(({ queueId, recipient }) => `${[first, second, third].indexOf(queueId)} ${recipient}`)
  }
  const [bob, carol] = ['bob@example.test', 'Carol@Elsewhere.example']
  const all = ['2 dave@example.test', `1 ${bob}`, `1 ${carol}`, `0 ${bob}`]
  assert.deepEqual(await foundBy(['example.test'], {}), [all[0], all[1], all[3]])
  assert.deepEqual(await foundBy(['elsewhere.example', 'other.test', 'example.test'], {}), all)
  assert.deepEqual(await foundBy(['example.test'], { address: 'BOB@example.test' }), [all[0], all[1], all[3]])
  assert.deepEqual(await foundBy(['elsewhere.example'], { address: bob }), [])
  assert.deepEqual(await foundBy(['example.test'], { address: carol }), [])
  assert.deepEqual(await foundBy(['elsewhere.example'], { address: carol }), [all[2]])
  assert.deepEqual(await foundBy(['example.test'], { queueId: second }), [all[1]])
  assert.deepEqual(await foundBy(['example.test'], { messageId: 'one@example.test', address: bob }), [all[3]])
  assert.deepEqual(await foundBy(['other.test'], { messageId: 'one@example.test' }), [])
  assert.deepEqual(await foundBy(['example.test'], { outcome: 'bounced' }), [])
  assert.deepEqual(await foundBy([], {}), [])
  assert.deepEqual(await foundBy([], { address: bob }), [])
})

test('an operator finds by an address elsewhere whom its own wrote to, and who wrote to its own', async () => {
  const [sent, came] = [newQueueId(noon + 2), newQueueId(noon + 3)]
  const outside = 'Pal@far.example'
  await insertTrace(stack.database, [
    entry(sent, outside, { mailFrom: 'ann@mine.test', account: 'ann@mine.test' }),
    entry(sent, 'x@other.test', { mailFrom: 'ann@mine.test', account: 'ann@mine.test' }),
    entry(came, 'ann@mine.test', { mailFrom: outside }),
    entry(came, 'ben@other.test', { mailFrom: outside }),
  ])
  const scope: TraceScope = { kind: 'domains', domains: ['mine.test'] }
  const seen = async (address: string) =>
    (await searchTrace(stack.database, { address }, { limit: 10 }, scope)).items.map(({ recipient }) => recipient)
  assert.deepEqual(await seen('pal@FAR.example'), ['ann@mine.test', outside])
  assert.deepEqual(await seen('x@other.test'), ['x@other.test'])
  assert.deepEqual(await seen('ann@mine.test'), ['ann@mine.test', 'x@other.test', outside])
  await stack.database.query('delete from message_trace where queue_id = any($1)', [[sent, came]])
})

test('all filters must hold together', async () => {
  assert.deepEqual(await search({ address: 'bob@example.test', until: new Date(noon) }), [[first, 'bob@example.test']])
  assert.deepEqual(await search({ queueId: first, outcome: 'bounced' }), [])
})
