// Many copies at the same time, on a real Postgres: in few statements, from several replicas, a bad one among good ones.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { readContent } from './content.ts'
import { type MaildropCopy, openMaildropDelivery } from './maildrop-delivery.ts'
import { insertTrace } from './trace.ts'

const ACCOUNTS = 10
let stack: TestDatabase
let accounts: { id: number; address: string }[]

before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test')")
  const { rows } = await stack.database.query<{ id: string; address: string }>(
    `insert into account (address, domain, password_hash)
     select 'user' || n || '@example.test', 'example.test', '' from generate_series(1, $1) as n returning id, address`,
    [ACCOUNTS],
  )
  accounts = rows.map(({ id, address }) => ({ id: Number(id), address }))
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  for (const table of ['maildrop_message', 'message_trace', 'content'])
    await stack.database.query(`delete from ${table}`)
})

function copyFor(queueId: string, accountIndex: number, changes: Partial<MaildropCopy> = {}): MaildropCopy {
  const { id, address } = accounts[accountIndex]!
  const bytes = Buffer.from(`body of ${queueId}`)
  return {
    accountId: id,
    contentId: queueId,
    bytes,
    added: Buffer.from(`Delivered-To: ${address}\r\n`),
    struck: [0, 2],
    sizeBytes: bytes.length + 40,
    trace: {
      queueId,
      recipient: address,
      stage: 'maildrop',
      outcome: 'delivered',
      mailFrom: '',
      direction: 'inbound',
      history: '[]',
    },
    ...changes,
  }
}

const number = async (sql: string) => (await stack.database.query<{ n: number }>(sql)).rows[0]!.n
const copies = () => number('select count(*)::int as n from maildrop_message')

test('500 copies at once, each of them twice, are 500 copies, in few statements', async () => {
  let statements = 0
  const query: typeof stack.database.query = (text, values) => {
    statements++
    return stack.database.query(text, values)
  }
  const deliver = openMaildropDelivery({ query } as typeof stack.database)
  const all = Array.from({ length: 500 }, (_, n) => copyFor(`mail${Math.floor(n / ACCOUNTS)}`, n % ACCOUNTS))
  await Promise.all([...all, ...all].map(deliver))
  assert.equal(await copies(), 500)
  assert.equal(await number('select count(distinct (queue_id, account_id))::int as n from maildrop_message'), 500)
  assert.equal(await number('select count(*)::int as n from content'), 50)
  assert.ok(statements <= 30, `${statements} statements`)
})

test('two replicas that deliver the same mails at the same time deliver each once', async () => {
  await using other = await stack.openAnother()
  const here = openMaildropDelivery(stack.database)
  const there = openMaildropDelivery(other)
  const all = Array.from({ length: 100 }, (_, n) => copyFor(`mail${n % 10}`, Math.floor(n / 10)))
  await Promise.all([...all.map(here), ...all.toReversed().map(there)])
  assert.equal(await copies(), 100)
})

test('a copy is as it was given, and its content is kept octet for octet', async () => {
  const bytes = randomBytes(10_000)
  const copy = copyFor('octets', 0, { bytes, sizeBytes: 123, struck: [1, 2, 5, 9] })
  await openMaildropDelivery(stack.database)(copy)
  const { rows } = await stack.database.query('select added, struck, size_bytes, content_id from maildrop_message')
  assert.deepEqual(rows, [{ added: copy.added, struck: [1, 2, 5, 9], size_bytes: '123', content_id: 'octets' }])
  assert.ok(Buffer.concat(await Array.fromAsync(readContent(stack.database, 'octets'))).equals(bytes))
})

test('one bad copy in a batch fails alone', async () => {
  const deliver = openMaildropDelivery(stack.database)
  const good = Array.from({ length: 20 }, (_, n) => copyFor(`good${n}`, n % ACCOUNTS))
  const bad = copyFor('bad', 0, { accountId: 999_999 })
  const results = await Promise.allSettled([...good.slice(0, 10), bad, ...good.slice(10)].map(deliver))
  assert.deepEqual(
    results.map(({ status }) => status === 'fulfilled'),
    Array.from({ length: 21 }, (_, n) => n !== 10),
  )
  assert.equal(await copies(), 20)
  assert.equal(await number("select count(*)::int as n from message_trace where queue_id = 'bad'"), 0)
})

test('an end that is written twice is the first one', async () => {
  const { trace } = copyFor('twice', 0)
  await insertTrace(stack.database, [trace, { ...trace, stage: 'list', outcome: 'expanded' }])
  await insertTrace(stack.database, [{ ...trace, outcome: 'bounced' }])
  const { rows } = await stack.database.query('select stage, outcome from message_trace order by stage')
  assert.deepEqual(rows, [
    { stage: 'list', outcome: 'expanded' },
    { stage: 'maildrop', outcome: 'delivered' },
  ])
})
