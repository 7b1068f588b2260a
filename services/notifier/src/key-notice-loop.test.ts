// The postmaster hears of DKIM keys that DNS lacks, or has no need of any more: once each, by whichever replica.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, test } from 'node:test'
import type { Publication } from '@sekimori/queue/queues'
import { listDkimKeys } from '@sekimori/store/dkim-key'
import { keyProblems, markKeyNotices } from '@sekimori/store/dkim-key-notice'
import { createDomain } from '@sekimori/store/domain-admin'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { type KeyNoticePorts, sendKeyNotices } from './key-notice-loop.ts'
import { readNotice } from './testing/notices.ts'

const HOUR_MS = 3_600_000
let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

function replica() {
  const mails: Publication[] = []
  const ports: KeyNoticePorts = {
    hostname: 'mail.example.test',
    problems: () => keyProblems(stack.database, HOUR_MS, 24 * HOUR_MS),
    publish: async (mail) => void mails.push(mail),
    markTold: (problems) => markKeyNotices(stack.database, problems),
    whenUp: async () => {},
    log: serviceStandIn().log,
  }
  return { ports, mails }
}

/** What the keeper has seen of a key, since so many hours. */
async function look(id: string, shown: string, hours: number, state?: string): Promise<void> {
  const { database } = stack
  await database.query(
    `insert into dkim_key_look (key_id, shown, shown_since, looks, looked_at, next_look_at)
     values ($1, $2, now() - $3 * interval '1 hour', 2, now(), now())
     on conflict (key_id) do update set shown = excluded.shown, shown_since = excluded.shown_since`,
    [id, shown, hours],
  )
  await database.query(
    "update dkim_key set state = coalesce($2, state), state_since = now() - interval '3 hours' where id = $1",
    [id, state ?? null],
  )
}

test('what has lasted is told once to the postmaster of its domain, in both languages', async () => {
  const { database } = stack
  await createDomain(database, 'a.test', randomBytes(32))
  const { rows } = await database.query<{ id: string }>("select id from dkim_key where domain = 'a.test' order by id")
  const [lost, done] = rows.map(({ id }) => id)
  const { ports, mails } = replica()
  await look(lost!, 'missing', 0)
  await look(done!, 'matches', 5)
  await sendKeyNotices(ports)
  assert.equal(mails.length, 0, 'it may be back soon')
  await look(lost!, 'missing', 2)
  await look(done!, 'matches', 2, 'retired')
  const other = replica()
  const before = await ports.problems()
  await sendKeyNotices(ports)
  await sendKeyNotices({ ...other.ports, problems: async () => before })
  await sendKeyNotices(ports)
  assert.equal(mails.length, 1)
  const { job, body, fields } = readNotice(mails[0]!)
  assert.deepEqual(job.envelope, { mailFrom: '', recipients: [{ address: 'postmaster@a.test' }] })
  assert.equal(fields['auto-submitted'], 'auto-generated')
  const keys = await listDkimKeys(database, 'a.test')
  const [removed, wanted] = [keys[0]!, keys[1]!]
  assert.ok(body.includes(wanted.dnsName) && body.includes(removed.dnsName))
  assert.match(body, /DNS に見つかりません[\s\S]*DNS does not show/)
  assert.match(body, /削除してください[\s\S]*Remove this TXT record/)
  assert.equal(body.replaceAll('" "', '').includes(`"${wanted.dnsRecord}"`), true)
  assert.equal(body.includes(removed.dnsRecord.slice(-40)), false)
  assert.equal(readNotice(other.mails[0]!).job.queueId, job.queueId, 'a repetition is the same mail')
})

test('who was told long ago is told again, and a key that is mended is no matter', async () => {
  const { database } = stack
  const { ports, mails } = replica()
  await database.query("update dkim_key_notice set told_at = now() - interval '2 days'")
  await sendKeyNotices(ports)
  assert.equal(mails.length, 1)
  await database.query("update dkim_key_notice set told_at = now() - interval '2 days'")
  await database.query("update dkim_key_look set shown = case shown when 'missing' then 'matches' else 'missing' end")
  await sendKeyNotices(ports)
  assert.equal(mails.length, 1)
})
