// Exactly one copy for each mail and maildrop, however often and in whatever company its job comes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createTestDatabase } from '@sekimori/testing/test-database'
import type { Database } from './database.ts'
import { type MaildropCopy, openMaildropDelivery } from './maildrop-delivery.ts'

async function createAccount(database: Database, address: string): Promise<number> {
  await database.query("insert into domain (name) values ('example.test') on conflict do nothing")
  const { rows } = await database.query<{ id: string }>(
    "insert into account (address, domain, password_hash) values ($1, 'example.test', '') returning id",
    [address],
  )
  return Number(rows[0]!.id)
}

function copyOf(queueId: string, accountId: number, recipient: string): MaildropCopy {
  const bytes = Buffer.from('Subject: x\r\n\r\nx\r\n')
  const trace = {
    queueId,
    recipient,
    stage: 'maildrop',
    outcome: 'delivered',
    mailFrom: '',
    direction: 'inbound',
    history: '[]',
  }
  return { accountId, contentId: queueId, bytes, added: Buffer.alloc(0), struck: [], sizeBytes: bytes.length, trace }
}

async function countCopies(database: Database, queueId: string): Promise<number> {
  const { rows } = await database.query<{ count: string }>(
    'select count(*) from maildrop_message where queue_id = $1',
    [queueId],
  )
  return Number(rows[0]!.count)
}

test('a mail whose job comes twice in one batch is delivered once', async () => {
  await using testDatabase = await createTestDatabase()
  const { database } = testDatabase
  const bob = await createAccount(database, 'bob@example.test')
  const deliver = openMaildropDelivery(database)
  await Promise.all([1, 2, 3].map(() => deliver(copyOf('q1', bob, 'bob@example.test'))))
  assert.equal(await countCopies(database, 'q1'), 1)
})

test('a mail whose job comes again later is not delivered again, also when its copy was deleted since', async () => {
  await using testDatabase = await createTestDatabase()
  const { database } = testDatabase
  const bob = await createAccount(database, 'bob@example.test')
  const deliver = openMaildropDelivery(database)
  await deliver(copyOf('q1', bob, 'bob@example.test'))
  await deliver(copyOf('q1', bob, 'bob@example.test'))
  assert.equal(await countCopies(database, 'q1'), 1)
  await database.query('delete from maildrop_message')
  await deliver(copyOf('q1', bob, 'bob@example.test'))
  assert.equal(await countCopies(database, 'q1'), 0)
})

test('each recipient of a mail gets a copy, and all share its content', async () => {
  await using testDatabase = await createTestDatabase()
  const { database } = testDatabase
  const bob = await createAccount(database, 'bob@example.test')
  const carol = await createAccount(database, 'carol@example.test')
  const deliver = openMaildropDelivery(database)
  await Promise.all([
    deliver(copyOf('q1', bob, 'bob@example.test')),
    deliver(copyOf('q1', carol, 'carol@example.test')),
  ])
  assert.equal(await countCopies(database, 'q1'), 2)
  const { rows } = await database.query<{ count: string }>('select count(*) from content')
  assert.equal(Number(rows[0]!.count), 1)
})
