// A list with ten thousand members on a real Postgres: in batches, and after crashes each member has exactly one copy.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import { deleteAccount } from '@sekimori/store/account-removal'
import type { Database } from '@sekimori/store/database'
import { createTestDatabase } from '@sekimori/testing/test-database'
import type { Config } from './config.ts'
import { handleDelivery } from './handler.ts'
import { openPorts } from './open-ports.ts'

const MEMBERS = 10_000
const OUTSIDE = 1_000
const LIST = 'all@example.test'
const config = { MAIL_HOSTNAME: 'mx.example.test', SRS_SECRET: 'secret', SRS_MAX_AGE: '10d' } as Config

async function createList(database: Database): Promise<void> {
  await database.query("insert into domain (name) values ('example.test')")
  await database.query(
    `insert into account (address, domain, password_hash) select 'u' || n || '@example.test', 'example.test', '' from generate_series(1, $1) as n`,
    [MEMBERS],
  )
  await database.query('insert into mailing_list (address, domain, name) values ($1, $2, $3)', [
    LIST,
    'example.test',
    'All',
  ])
  await database.query('insert into mailing_list_member (list_address, account_id) select $1, id from account', [LIST])
  await database.query(
    `insert into mailing_list_outside_member (list_address, address) select $1, 'x' || n || '@elsewhere.test' from generate_series(1, $2) as n`,
    [LIST, OUTSIDE],
  )
}

function jobToList(): Job {
  return {
    queueId: newQueueId(),
    direction: 'inbound',
    acceptedAt: Date.now(),
    // One member is named besides.
    envelope: { mailFrom: 'eve@stranger.test', recipients: [{ address: LIST }, { address: 'u5@example.test' }] },
    session: { receivedBy: 'mx' },
    added: ['Received: from x'],
    struck: [],
    history: [],
    content: { kind: 'inline', bytes: Buffer.from(`Subject: x\r\n\r\n${'body '.repeat(800)}\r\n`) },
  }
}

test('ten thousand members get one copy each of one content, whatever dies meanwhile', async () => {
  await using stack = await createTestDatabase()
  const { database } = stack
  await createList(database)
  const number = async (text: string) => (await database.query<{ n: number }>(text)).rows[0]!.n
  const ports = openPorts(config, database, { judged: async (job) => job })
  const job = jobToList()
  for (const dies of [700, 6_300]) {
    let left = dies
    const deliver: typeof ports.deliver = (copy) =>
      left-- > 0 ? ports.deliver(copy) : Promise.reject(new Error('the process died'))
    await assert.rejects(handleDelivery(job, { ...ports, deliver }), /died/)
    const copies = await number('select count(*)::int as n from maildrop_message')
    assert.ok(copies > 0 && copies < MEMBERS, `${copies} copies when it died`)
  }
  const publications = await handleDelivery(job, ports)
  assert.equal(await number('select count(*)::int as n from maildrop_message'), MEMBERS)
  assert.equal(await number('select count(distinct account_id)::int as n from maildrop_message'), MEMBERS)
  assert.equal(await number('select count(*)::int as n from content'), 1)
  assert.equal(await number('select sum(messages)::int as n from maildrop_usage'), MEMBERS)
  const forwards = publications.map(({ message }) => message as Job)
  const reached = forwards.flatMap(({ envelope }) => envelope.recipients.map(({ address }) => address))
  assert.equal(new Set(reached).size, OUTSIDE)
  assert.equal(reached.length, OUTSIDE)
  assert.ok(forwards.length > 1 && forwards.every(({ envelope }) => envelope.recipients.length <= 400))

  // The job comes once more: the same mails go on under the same queue ids, with the same recipients.
  const again = (await handleDelivery(job, ports)).map(({ message }) => message as Job)
  const named = (jobs: Job[]) => jobs.map(({ queueId, envelope }) => [queueId, envelope.recipients])
  assert.deepEqual(named(again), named(forwards))
  assert.equal(await number('select count(*)::int as n from maildrop_message'), MEMBERS)

  // The last reference frees the space.
  await database.query("delete from account where address not in ('u1@example.test', 'u2@example.test')")
  await deleteAccount(database, 'u1@example.test')
  assert.equal(await number('select count(*)::int as n from content'), 1)
  await database.query('delete from mailing_list')
  await deleteAccount(database, 'u2@example.test')
  assert.equal(await number('select count(*)::int as n from content'), 0)
  assert.equal(await number('select count(*)::int as n from maildrop_usage'), 0)
})
