// The content store on a real Postgres: octets come back as they went in, for as long as somebody holds them.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import {
  ContentGone,
  contentOpener,
  passContent,
  readContent,
  readHead,
  releaseContent,
  storeContent,
} from './content.ts'

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

async function* cut(bytes: Buffer, sizeBytes: number): AsyncIterable<Buffer> {
  for (let at = 0; at < bytes.length; at += sizeBytes) yield bytes.subarray(at, at + sizeBytes)
}

const small = (id: string, holder: string) => storeContent(stack.database, id, holder, cut(Buffer.from('mail'), 4))
const read = async (id: string) => Buffer.concat(await Array.fromAsync(readContent(stack.database, id)))
const isThere = async (id: string) =>
  (await stack.database.query('select from content where id = $1', [id])).rowCount === 1

test('5 MB come back octet for octet, in chunks, however they came in', async () => {
  const bytes = randomBytes(5_000_000)
  for (const cutAt of [1_460, 65_536, 5_000_000]) {
    const id = `big${cutAt}`
    assert.equal(await storeContent(stack.database, id, 'h', cut(bytes, cutAt)), bytes.length)
    const chunks = await Array.fromAsync(readContent(stack.database, id))
    assert.ok(Buffer.concat(chunks).equals(bytes))
    assert.ok(chunks.length === 1 ? cutAt === bytes.length : chunks.every((chunk) => chunk.length < 600_000))
  }
})

test('content without an octet is content all the same', async () => {
  assert.equal(await storeContent(stack.database, 'empty', 'h', cut(Buffer.alloc(0), 1)), 0)
  assert.equal((await read('empty')).length, 0)
})

test('one function opens inline and stored content', async () => {
  await small('either', 'h')
  const open = contentOpener(stack.database)
  for (const content of [
    { kind: 'inline' as const, bytes: Buffer.from('mail') },
    { kind: 'stored' as const, id: 'either', sizeBytes: 4 },
  ])
    assert.equal(Buffer.concat(await Array.fromAsync(open(content))).toString(), 'mail')
})

test('content can not be read before all of it is there', async () => {
  const arriving = Promise.withResolvers<void>()
  const readable = async function* () {
    yield randomBytes(600_000)
    await assert.rejects(read('partial'), ContentGone)
    arriving.resolve()
    yield Buffer.from('end')
  }
  assert.equal(await storeContent(stack.database, 'partial', 'h', readable()), 600_003)
  await arriving.promise
  assert.equal((await read('partial')).length, 600_003)
})

test('input that fails leaves nothing', async () => {
  const broken = async function* () {
    yield randomBytes(1_200_000)
    throw new RangeError('the client went away')
  }
  await assert.rejects(storeContent(stack.database, 'broken', 'h', broken()), RangeError)
  assert.equal(await isThere('broken'), false)
  const { rowCount } = await stack.database.query("select from content_chunk where content_id = 'broken'")
  assert.equal(rowCount, 0)
})

test('content lives until its last holder lets go', async () => {
  await small('held', 'scan')
  assert.equal(await passContent(stack.database, 'held', 'scan', ['inbound', 'outbound']), true)
  await releaseContent(stack.database, 'held', 'scan')
  await releaseContent(stack.database, 'held', 'inbound')
  assert.equal((await read('held')).toString(), 'mail')
  await releaseContent(stack.database, 'held', 'outbound')
  assert.equal(await isThere('held'), false)
  await assert.rejects(read('held'), ContentGone)
})

test('passing a hold on twice is passing it on once, and what is gone is not passed on', async () => {
  await small('passed', 'a')
  assert.equal(await passContent(stack.database, 'passed', 'a', ['b']), true)
  assert.equal(await passContent(stack.database, 'passed', 'a', ['b']), true)
  assert.equal(await passContent(stack.database, 'passed', 'b', ['b']), true)
  await releaseContent(stack.database, 'passed', 'b')
  assert.equal(await passContent(stack.database, 'passed', 'a', ['b']), false)
  assert.equal(await isThere('passed'), false)
})

test('holders that let go at the same time leave nothing behind, and nobody fails', async () => {
  const ids = Array.from({ length: 20 }, (_, index) => `together${index}`)
  for (const id of ids) {
    await small(id, 'x')
    await passContent(stack.database, id, 'x', ['a', 'b', 'c'])
  }
  await Promise.all(ids.flatMap((id) => ['a', 'b', 'c'].map((holder) => releaseContent(stack.database, id, holder))))
  const { rowCount } = await stack.database.query("select from content where id like 'together%'")
  assert.equal(rowCount, 0)
})

test('content that a maildrop refers to outlives its holders', async () => {
  await stack.database.query("insert into domain (name) values ('example.test')")
  await stack.database.query(
    "insert into account (address, domain, password_hash) values ('bob@example.test', 'example.test', '')",
  )
  await small('kept', 'inbound')
  await stack.database.query(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes)
     select id, 'q', 'kept', '', 4 from account`,
  )
  await releaseContent(stack.database, 'kept', 'inbound')
  assert.equal((await read('kept')).toString(), 'mail')
})

test('content that vanishes or lost a chunk is never read as a shorter mail', async () => {
  await storeContent(stack.database, 'torn', 'h', cut(randomBytes(1_200_000), 50_000))
  const reader = readContent(stack.database, 'torn')[Symbol.asyncIterator]()
  await reader.next()
  await releaseContent(stack.database, 'torn', 'h')
  await assert.rejects(async () => reader.next(), ContentGone)
  await storeContent(stack.database, 'lossy', 'h', cut(randomBytes(1_200_000), 50_000))
  await stack.database.query("delete from content_chunk where content_id = 'lossy' and seq = 2")
  await assert.rejects(read('lossy'), /octets instead of 1200000/)
})

test('the header section is read up to the empty line, and never more than its limit', async () => {
  const mail = Buffer.from('A: 1\r\nB: 2\r\n\r\nbody')
  for (const size of [1, 3, 100]) assert.equal((await readHead(cut(mail, size))).toString(), 'A: 1\r\nB: 2\r\n\r\n')
  assert.equal((await readHead(cut(Buffer.from('A: 1'), 2))).toString(), 'A: 1')
  assert.equal((await readHead(cut(Buffer.alloc(5_000, 0x78), 100), 1_000)).length, 1_000)
})
