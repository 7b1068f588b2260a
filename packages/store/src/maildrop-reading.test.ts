// Listing, reading and removing messages on a real Postgres.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { storeContent } from './content.ts'
import { acquireLease, type Lease } from './maildrop-lease.ts'
import { listMaildrop, readMessage, removeMessages } from './maildrop-reading.ts'

let stack: TestDatabase
let bob: Lease
let carol: Lease

before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test')")
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await stack.database.query('delete from account')
  await stack.database.query('delete from content_use')
  await stack.database.query('delete from content')
  ;[bob, carol] = [await openedAccount('bob'), await openedAccount('carol')]
})

async function openedAccount(name: string): Promise<Lease> {
  const { rows } = await stack.database.query<{ id: string }>(
    "insert into account (address, domain, password_hash) values ($1, 'example.test', '') returning id",
    [`${name}@example.test`],
  )
  const lease = { accountId: Number(rows[0]!.id), holder: `${name}'s session` }
  assert.equal(await acquireLease(stack.database, lease, 9_000), true)
  return lease
}

async function keep(id: string, text: string): Promise<void> {
  const bytes = Buffer.from(text)
  await stack.database.query('insert into content (id, size_bytes, bytes) values ($1, $2, $3)', [
    id,
    bytes.length,
    bytes,
  ])
}

async function deliver(
  lease: Lease,
  contentId: string,
  sizeBytes = 1,
  added = '',
  struck: number[] = [],
): Promise<number> {
  const { rows } = await stack.database.query<{ uid: string }>(
    `insert into maildrop_message (account_id, queue_id, content_id, added, struck, size_bytes)
     values ($1, 'q', $2, $3, $4, $5) returning uid`,
    [lease.accountId, contentId, Buffer.from(added), struck, sizeBytes],
  )
  return Number(rows[0]!.uid)
}

const read = async (lease: Lease, uid: number) =>
  Buffer.concat(await Array.fromAsync(readMessage(stack.database, lease.accountId, uid))).toString()
const uids = async (lease: Lease) => (await listMaildrop(stack.database, lease.accountId)).map(({ uid }) => uid)
const contents = async () => {
  const { rows } = await stack.database.query<{ id: string }>('select id from content order by id')
  return rows.map(({ id }) => id).join()
}

test('a maildrop lists its own messages in their order, with their sizes', async () => {
  await keep('c', 'x')
  const first = await deliver(bob, 'c', 5_000_000_000)
  await deliver(carol, 'c', 2)
  const second = await deliver(bob, 'c', 3)
  assert.deepEqual(await listMaildrop(stack.database, bob.accountId), [
    { uid: first, sizeBytes: 5_000_000_000 },
    { uid: second, sizeBytes: 3 },
  ])
  assert.deepEqual(await listMaildrop(stack.database, 0), [])
})

test('a message is read as delivered: added lines, then the original without what was struck out', async () => {
  await keep('c', 'Forged: pass\r\nSubject: x\r\nForged: too\r\n\r\nbody\r\n')
  const uid = await deliver(bob, 'c', 0, 'Result: none\r\n', [0, 14, 26, 39])
  assert.equal(await read(bob, uid), 'Result: none\r\nSubject: x\r\n\r\nbody\r\n')
})

test('large content is read in chunks', async () => {
  const part = Buffer.alloc(400_000, '0123456789abcdef')
  await storeContent(
    stack.database,
    'large',
    'test',
    (async function* () {
      for (let i = 0; i < 5; i++) yield part
    })(),
  )
  const uid = await deliver(bob, 'large', 0, 'Added: x\r\n', [1_000_000, 1_000_010])
  const chunks = await Array.fromAsync(readMessage(stack.database, bob.accountId, uid))
  const expected = Buffer.concat([Buffer.from('Added: x\r\n'), ...Array<Buffer>(5).fill(part)])
  const cut = 1_000_000 + 10
  assert.ok(Buffer.concat(chunks).equals(Buffer.concat([expected.subarray(0, cut), expected.subarray(cut + 10)])))
  assert.ok(chunks.every((chunk) => chunk.length < 1_500_000))
})

test('nobody reads the messages of another account', async () => {
  await keep('c', 'x')
  const uid = await deliver(bob, 'c')
  await assert.rejects(read(carol, uid), /not in the maildrop/)
})

test('half a message is an error, never a short message', async () => {
  await storeContent(
    stack.database,
    'large',
    'test',
    (async function* () {
      for (let i = 0; i < 3; i++) yield Buffer.alloc(600_000, 'x')
    })(),
  )
  const uid = await deliver(bob, 'large')
  await stack.database.query("delete from content_chunk where content_id = 'large' and seq = 2")
  await assert.rejects(read(bob, uid), /1200000 octets instead of 1800000/)
})

test('only the messages named are removed, and only from this maildrop', async () => {
  await keep('c', 'x')
  const [first, second, third] = [await deliver(bob, 'c'), await deliver(bob, 'c'), await deliver(bob, 'c')]
  const hers = await deliver(carol, 'c')
  assert.equal(await removeMessages(stack.database, bob, [first, third, hers]), 3)
  assert.deepEqual(await uids(bob), [second])
  assert.deepEqual(await uids(carol), [hers])
})

test('a uid is never used again', async () => {
  await keep('c', 'x')
  const last = await deliver(bob, 'c')
  await removeMessages(stack.database, bob, [last])
  await keep('d', 'x')
  assert.ok((await deliver(bob, 'd')) > last)
})

test('content goes with its last reference, whatever kind that is', async () => {
  for (const id of ['alone', 'carol', 'used', 'deferred']) await keep(id, 'x')
  const mine: number[] = []
  for (const id of ['alone', 'alone', 'carol', 'used', 'deferred']) mine.push(await deliver(bob, id))
  const hers = await deliver(carol, 'carol')
  const { database } = stack
  await database.query("insert into content_use (content_id, holder) values ('used', 'a job')")
  await database.query("insert into deferred_mail (queue_id, job, content_id) values ('q', '{}', 'deferred')")
  await removeMessages(database, bob, mine.slice(0, 1))
  assert.equal(await contents(), 'alone,carol,deferred,used')
  await removeMessages(database, bob, mine.slice(1))
  assert.equal(await contents(), 'carol,deferred,used')
  await removeMessages(database, carol, [hers])
  assert.equal(await contents(), 'deferred,used')
  await database.query('delete from deferred_mail')
})

test('of two who remove their copies at the same time, the second one takes the content along', async () => {
  await keep('shared', 'x')
  const [his, hers] = [await deliver(bob, 'shared'), await deliver(carol, 'shared')]
  const { database } = stack
  let removal: Promise<number> = Promise.resolve(0)
  await database.transaction(async (client) => {
    await client.query('delete from maildrop_message where uid = $1', [his])
    await client.query("select from content where id = 'shared' for update")
    removal = removeMessages(database, carol, [hers])
    await Promise.race([removal, untilSomebodyWaits()])
  })
  assert.equal(await removal, 1)
  assert.equal(await contents(), '')
})

async function untilSomebodyWaits(): Promise<void> {
  await eventually(async () => {
    const { rowCount } = await stack.database.query(
      "select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'",
    )
    return rowCount! > 0
  })
}

test('removing what is shared, from both sides and in any order, ends without a deadlock', async () => {
  const ids = Array.from({ length: 40 }, (_, index) => `shared ${index}`)
  for (const id of ids) await keep(id, 'x')
  const mine: number[] = []
  const hers: number[] = []
  for (const id of ids) mine.push(await deliver(bob, id))
  for (const id of ids.toReversed()) hers.push(await deliver(carol, id))
  await Promise.all(
    [mine, hers].flatMap((theirs, index) =>
      [0, 1, 2, 3].map((part) =>
        removeMessages(
          stack.database,
          index === 0 ? bob : carol,
          theirs.filter((_, at) => at % 4 === part),
        ),
      ),
    ),
  )
  assert.deepEqual([await uids(bob), await uids(carol), await contents()], [[], [], ''])
})

test('a session that has lost its lock removes nothing', async () => {
  await keep('c', 'x')
  const uid = await deliver(bob, 'c')
  await stack.database.query("update maildrop_lease set holder = 'thief' where account_id = $1", [bob.accountId])
  assert.equal(await removeMessages(stack.database, bob, [uid]), 0)
  assert.deepEqual(await uids(bob), [uid])
})

test('100,000 messages are listed in under 2 s, and can be removed', async () => {
  await keep('c', 'x')
  await stack.database.query(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes)
     select $1, 'q', 'c', '', n from generate_series(1, 100000) as n`,
    [bob.accountId],
  )
  let listed: Awaited<ReturnType<typeof listMaildrop>> = []
  // The best of many: other work on the machine costs time, too.
  await eventually(async () => {
    const start = performance.now()
    listed = await listMaildrop(stack.database, bob.accountId)
    return performance.now() - start < 2_000
  })
  assert.equal(listed.length, 100_000)
  assert.equal(listed.at(-1)!.sizeBytes, 100_000)
  assert.equal(
    await removeMessages(
      stack.database,
      bob,
      listed.slice(0, 1_200).map(({ uid }) => uid),
    ),
    1_200,
  )
  assert.equal((await uids(bob)).length, 98_800)
})
