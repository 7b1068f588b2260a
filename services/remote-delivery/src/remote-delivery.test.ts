// The stage as a whole on real Postgres, DNS and SMTP servers: every recipient ends once, and its sender hears of it once.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { contentHolder } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import { storeContent } from '@sekimori/store/content'
import { openCuttableProxy } from '@sekimori/testing/cuttable-proxy'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { type Outside, openOutside, outboundJob } from './testing/outside.ts'
import { type Notice, type Replica, startReplica } from './testing/replica.ts'

const [BOB, CAROL, DAVE] = ['bob@remote.test', 'carol@remote.test', 'dave@other.test']
let stack: TestDatabase
let outside: Outside

before(async () => {
  stack = await createTestDatabase()
  outside = await openOutside()
})
after(async () => {
  await outside[Symbol.asyncDispose]()
  await stack[Symbol.asyncDispose]()
})

const job = (recipients: Parameters<typeof outboundJob>[0], over: Partial<Job> = {}) =>
  outboundJob(recipients, { queueId: newQueueId(), ...over })

/** Outcome by recipient as the trace has it. */
async function ends({ queueId }: Job): Promise<Record<string, string>> {
  const { rows } = await stack.database.query<{ recipient: string; outcome: string }>(
    "select recipient, outcome from message_trace where queue_id = $1 and stage = 'remote'",
    [queueId],
  )
  return Object.fromEntries(rows.map(({ recipient, outcome }) => [recipient, outcome]))
}
const untilEnded = (mail: Job, expected: Record<string, string>) =>
  eventually(async () => Object.keys(await ends(mail)).length === Object.keys(expected).length).then(async () =>
    assert.deepEqual(await ends(mail), expected),
  )
async function leftovers(): Promise<number> {
  const { rows } = await stack.database.query<{ count: number }>(
    `select ((select count(*) from deferred_mail) + (select count(*) from deferred_delivery)
           + (select count(*) from content) + (select count(*) from content_use))::int as count`,
  )
  return rows[0]!.count
}
const start = (notices: Notice[] = [], settings: Record<string, string> = {}, hasLoop = true): Promise<Replica> =>
  startReplica({ url: stack.url, outside, notices, settings, hasLoop })

/** Servers for remote.test and other.test of this test's own. */
async function openServers() {
  const [remote, other] = [`r${newQueueId()}.test`, `o${newQueueId()}.test`]
  const servers = { remote: await outside.startMx(remote), other: await outside.startMx(other) }
  const at = (address: string) => address.replace('remote.test', remote).replace('other.test', other)
  return { ...servers, at }
}

test('a mail that is put off is delivered at the next attempt, once, and nothing stays behind', async () => {
  const { remote, other, at } = await openServers()
  remote.script({ at: 'RCPT', reply: '451 4.7.1 greylisted', recipient: at(CAROL), times: 2 })
  await using replica = await start()
  const mail = job([at(BOB), at(CAROL), at(DAVE)])
  await replica.handle(mail)
  await untilEnded(mail, { [at(BOB)]: 'sent', [at(CAROL)]: 'sent', [at(DAVE)]: 'sent' })
  assert.deepEqual(
    remote.mails.map(({ recipients }) => recipients),
    [[at(BOB)], [at(CAROL)]],
  )
  assert.equal(other.mails.length, 1)
  assert.deepEqual(remote.mails[1]?.data, remote.mails[0]?.data)
  assert.equal(await leftovers(), 0)
})

test('a stored mail is delivered octet by octet, and its content goes with its last recipient', async () => {
  const { remote, other, at } = await openServers()
  other.script({ at: 'message', reply: '452 4.3.1 full', times: 1 })
  await using replica = await start()
  const mail = job([at(BOB), at(DAVE)])
  const bytes = Buffer.from(`Subject: long\r\n\r\n${'0123456789\r\n'.repeat(100_000)}`)
  const input = (async function* () {
    yield bytes
  })()
  const sizeBytes = await storeContent(stack.database, mail.queueId, contentHolder(mail.queueId, 'outbound'), input)
  await replica.handle({ ...mail, content: { kind: 'stored', id: mail.queueId, sizeBytes } })
  await untilEnded(mail, { [at(BOB)]: 'sent', [at(DAVE)]: 'sent' })
  assert.ok(remote.mails[0]?.data.equals(bytes) && other.mails[0]?.data.equals(bytes))
  assert.equal(await leftovers(), 0)
})

test('a refused recipient is told of once, with the header section, also when the job comes twice', async () => {
  const { remote, at } = await openServers()
  remote.script({ at: 'RCPT', reply: '550 5.1.1 no such user', recipient: at(CAROL) })
  const notices: Notice[] = []
  await using replica = await start(notices)
  const mail = job([at(BOB), at(CAROL)])
  await replica.handle(mail)
  await replica.handle(mail)
  assert.deepEqual(await ends(mail), { [at(BOB)]: 'sent', [at(CAROL)]: 'bounced' })
  assert.equal(remote.mails.length, 1)
  assert.deepEqual(
    notices.map(({ action, recipients }) => [action, recipients[0]?.address, recipients[0]?.status]),
    [['failed', at(CAROL), '5.1.1']],
  )
  assert.equal(notices[0]?.content.bytes.toString(), 'From: alice@example.test\r\nSubject: hello\r\n\r\n')
})

test('a job that comes again after a crash leaves mail in the schedule alone', async () => {
  const { remote, at } = await openServers()
  remote.script({ at: 'RCPT', reply: '451 4.7.1 greylisted' })
  await using crashed = await start([], { RETRY_SCHEDULE: '1h' }, false)
  const mail = job([at(BOB)])
  await crashed.handle(mail)
  const { length } = remote.commands
  await crashed.handle(mail)
  assert.equal(remote.commands.length, length)
  await stack.database.query('truncate deferred_delivery, deferred_mail, content cascade')
})

test('a mail that nobody takes is given up at the end of its life, and its sender hears of delay and failure once', async () => {
  const { remote, at } = await openServers()
  remote.script({ at: 'message', reply: '452 4.3.1 full' })
  const notices: Notice[] = []
  await using replica = await start(notices, { DELAY_NOTICE_AFTER: '300ms' })
  const mail = job([at(BOB)])
  await replica.handle(mail)
  await eventually(() => notices.length === 1)
  await eventually(async () => {
    await stack.database.query('update deferred_delivery set expires_at = now()') // an attempt that was under way may set it again
    return Object.keys(await ends(mail)).length > 0
  })
  await untilEnded(mail, { [at(BOB)]: 'deferred-expired' })
  assert.deepEqual(
    notices.map(({ action, recipients }) => [action, recipients[0]?.status]),
    [
      ['delayed', '4.3.1'],
      ['failed', '4.4.7'],
    ],
  )
  assert.equal(await leftovers(), 0)
})

test('any replica resumes what another one left in the schedule, each mail once', async () => {
  const { remote, at } = await openServers()
  remote.script({ at: 'MAIL', reply: '451 4.3.0 later', times: 30 })
  const mails = Array.from({ length: 30 }, (_, index) => job([at(`user${index}@remote.test`)]))
  {
    await using first = await start([], { RETRY_SCHEDULE: '300ms', DESTINATION_CONCURRENCY: '30' }, false)
    await Promise.all(mails.map((mail) => first.handle(mail)))
  }
  assert.equal(remote.mails.length, 0)
  await using _second = await start()
  await using _third = await start()
  for (const mail of mails) await untilEnded(mail, { [mail.envelope.recipients[0]!.address]: 'sent' })
  assert.equal(remote.mails.length, 30)
  assert.equal(await leftovers(), 0)
})

test('when Postgres goes away during the dialogue, its result is written when it is back, and the mail is not sent again', async () => {
  const { remote } = await openServers()
  const domain = `p${newQueueId()}.test`
  outside.addMx(domain, '127.0.0.1', 10)
  await using smtp = await openCuttableProxy(`smtp://${remote.host}:${remote.port}`)
  await using postgres = await openCuttableProxy(stack.url)
  const url = Object.assign(new URL(stack.url), { port: String(postgres.port) }).href
  const settings = { RELAY_PORT: String(smtp.port) }
  await using replica = await startReplica({ url, outside, notices: [], settings, hasLoop: false })
  smtp.pause('down') // the greeting does not arrive yet
  const mail = job([`bob@${domain}`])
  const handling = replica.handle(mail)
  await eventually(() => smtp.open() === 1)
  postgres.refuse()
  postgres.cut()
  smtp.resume('down')
  await eventually(() => remote.commands.at(-1) === 'QUIT')
  assert.deepEqual(await ends(mail), {})
  await postgres.accept()
  await handling
  assert.deepEqual(await ends(mail), { [`bob@${domain}`]: 'sent' })
  assert.equal(remote.mails.length, 1)
})

test('a job that comes again while its first worker hangs is delivered, and what the first one writes later changes nothing', async () => {
  const { remote, at } = await openServers()
  remote.script({ at: 'DATA', reply: 'silence', times: 1 })
  await using dying = await start([], {}, false)
  await using replica = await start([], {}, false)
  const mail = job([at(BOB)])
  const abandoned = dying.handle(mail)
  await eventually(() => remote.commands.includes('DATA'))
  await replica.handle(mail)
  assert.deepEqual(await ends(mail), { [at(BOB)]: 'sent' })
  await remote[Symbol.asyncDispose]()
  await abandoned
  assert.deepEqual(await ends(mail), { [at(BOB)]: 'sent' })
  assert.equal(remote.mails.length, 1)
  assert.equal(await leftovers(), 0)
})
