// Two replicas of the POP3 server on one real Postgres: logins, the lock between them, reading and removing.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { openLogin } from '@sekimori/login/login'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Database } from '@sekimori/store/database'
import { renewLeases } from '@sekimori/store/maildrop-lease'
import { hashPassword } from '@sekimori/store/password'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { LEASE_LIFE_MS, LeaseKeeper } from './lease-keeper.ts'
import { storePorts } from './store-ports.ts'
import { openDoor, type ServerUnderTest, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const errors: string[] = []
const log = { info: () => {}, error: (_: object, text: string) => void errors.push(text) }
let stack: TestDatabase
let accountId: number

before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test')")
  const { rows } = await stack.database.query<{ id: string }>(
    "insert into account (address, domain, password_hash) values ('bob@example.test', 'example.test', $1) returning id",
    [await hashPassword('secret')],
  )
  accountId = Number(rows[0]!.id)
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  errors.length = 0
  for (const table of ['maildrop_message', 'maildrop_lease', 'content'])
    await stack.database.query(`delete from ${table}`)
})

async function startReplica(renewalIntervalMs = 20): Promise<ServerUnderTest> {
  await using resources = new AsyncDisposableStack()
  const database: Database = resources.use(await stack.openAnother())
  const leases = resources.use(
    new LeaseKeeper((held) => renewLeases(database, held, LEASE_LIFE_MS), log, renewalIntervalMs),
  )
  const server = resources.use(
    await startServer({ ...storePorts(database, await openLogin(database), leases, log), admission: openDoor }),
  )
  const all = resources.move()
  return { ...server, [Symbol.asyncDispose]: () => all.disposeAsync() }
}

async function deliver(text: string): Promise<string> {
  const id = `content ${Math.random()}`
  const bytes = Buffer.from(text)
  await stack.database.query('insert into content (id, size_bytes, bytes) values ($1, $2, $3)', [
    id,
    bytes.length,
    bytes,
  ])
  const { rows } = await stack.database.query<{ uid: string }>(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes)
     values ($1, 'q', $2, 'Added: x\r\n', $3) returning uid`,
    [accountId, id, bytes.length + 'Added: x\r\n'.length],
  )
  return rows[0]!.uid
}

const count = async (table: string) => (await stack.database.query(`select from ${table}`)).rowCount

test('mail is listed with lasting unique-ids, read as delivered, and removed with its content', async () => {
  const [first, second] = [await deliver('Subject: 1\r\n\r\n.one\r\n'), await deliver('Subject: 2\r\n\r\ntwo\r\n')]
  await using replica = await startReplica()
  await using client = await WireClient.login(replica.pop3sPort, 'Bob@Example.TEST')
  assert.deepEqual(await client.sayMulti('UIDL'), [`1 ${first}`, `2 ${second}`])
  assert.equal(await client.say('RETR 1'), '+OK 30 octets')
  assert.equal((await client.until('\r\n.\r\n')).toString(), 'Added: x\r\nSubject: 1\r\n\r\n..one\r\n.\r\n')
  await client.say('DELE 1')
  assert.equal(await client.say('QUIT'), '+OK 1 messages removed, bye')
  assert.equal(await count('content'), 1)
  const third = await deliver('Subject: 3\r\n\r\nthree\r\n')
  await using next = await WireClient.login(replica.pop3sPort)
  assert.deepEqual(await next.sayMulti('UIDL'), [`1 ${second}`, `2 ${third}`])
})

test('RFC 6856 2.1 sizes are of what is sent: the mail after UTF8, otherwise its surrogate', async () => {
  const text = 'Subject: 請求書\r\n\r\n本文\r\n'
  const surrogate = 'Added: x\r\nSubject: =?utf-8?B?6KuL5rGC5pu4?=\r\n\r\n本文\r\n'
  const uid = await deliver(text)
  await stack.database.query('update maildrop_message set surrogate_bytes = $1', [Buffer.byteLength(surrogate)])
  await using replica = await startReplica()
  for (const [isUtf8, mail] of [
    [true, `Added: x\r\n${text}`],
    [false, surrogate],
  ] as const) {
    await using client = await WireClient.dialTls(replica.pop3sPort)
    if (isUtf8) await client.say('UTF8')
    await client.say('USER bob@example.test')
    await client.say('PASS secret')
    assert.equal(await client.say('LIST 1'), `+OK 1 ${Buffer.byteLength(mail)}`)
    assert.equal(await client.say('UIDL 1'), `+OK 1 ${uid}`)
    for (const [command, shown] of [
      ['RETR 1', mail],
      ['TOP 1 0', mail.replace('本文\r\n', '')],
    ] as const) {
      await client.say(command)
      assert.equal((await client.until('\r\n.\r\n')).toString(), `${shown}.\r\n`)
    }
    await client.say('QUIT')
  }
})

test('a maildrop is opened with as many statements and octets a message, however many there are', async () => {
  const spent: { statements: number; octets: number }[] = []
  for (const messages of [10, 1_000]) {
    for (let i = spent.length * 10; i < messages; i++) await deliver('Subject: 1\r\n\r\n')
    let [statements, octets] = [0, 0]
    const query: Database['query'] = async (text, values) => {
      const result = await stack.database.query<never>(text, values)
      statements += 1
      octets += JSON.stringify(result.rows).length
      return result
    }
    await using leases = new LeaseKeeper(async () => new Set(), log, 3_600_000)
    const noLogin = () => Promise.reject(new Error('nobody logs in'))
    const ports = storePorts({ query } as Database, noLogin, leases, log)
    const opening = await ports.openMaildrop({ id: accountId, address: 'bob@example.test' }, false)
    assert.ok(opening.kind === 'open' && opening.maildrop.messages.length === messages)
    await opening.maildrop[Symbol.asyncDispose]()
    spent.push({ statements, octets })
  }
  const [few, many] = spent as [(typeof spent)[0], (typeof spent)[0]]
  assert.equal(few.statements, many.statements)
  assert.ok(few.statements <= 4, `${few.statements} statements`)
  // Two numbers of eight octets each, as JSON shows them.
  assert.ok(many.octets < 1_000 * 80, `${many.octets} octets for 1,000 messages`)
})

test('RFC 6858 2.2 the headers of parts are in ASCII where their size at delivery says so, and only there', async () => {
  const text =
    'Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a/b; name=花\r\n\r\n花\r\n--b--\r\n'
  const surrogate = text.replace('; name=花', ";\r\n name*=utf-8''%E8%8A%B1")
  for (const [isKnown, shown] of [
    [true, surrogate],
    [false, text],
  ] as const) {
    await deliver(text)
    const size = Buffer.byteLength(`Added: x\r\n${shown}`)
    if (isKnown) await stack.database.query('update maildrop_message set surrogate_bytes = $1', [size])
    await using replica = await startReplica()
    await using client = await WireClient.login(replica.pop3sPort)
    const number = isKnown ? 1 : 2
    assert.equal(await client.say(`LIST ${number}`), `+OK ${number} ${size}`)
    assert.equal(await client.say(`RETR ${number}`), `+OK ${size} octets`)
    assert.equal((await client.until('\r\n.\r\n')).toString(), `Added: x\r\n${shown}.\r\n`)
    await client.say('QUIT')
  }
})

test('a wrong password and an unknown account are refused alike', async () => {
  await using replica = await startReplica()
  await assert.rejects(WireClient.login(replica.pop3sPort, 'bob@example.test', 'wrong'), /-ERR \[AUTH\] Wrong address/)
  await assert.rejects(WireClient.login(replica.pop3sPort, 'nobody@example.test'), /-ERR \[AUTH\] Wrong address/)
  assert.equal(await count('maildrop_lease'), 0)
})

test('a maildrop is open in one session, whichever replica a client comes to, and free at once after QUIT', async () => {
  await using one = await startReplica()
  await using two = await startReplica()
  await using client = await WireClient.login(one.pop3sPort)
  for (const replica of [one, two]) await assert.rejects(WireClient.login(replica.pop3sPort), /-ERR \[IN-USE\]/)
  await client.say('QUIT')
  await using next = await WireClient.login(two.pop3sPort)
  assert.equal(await next.say('STAT'), '+OK 0 0')
})

test('a lock is prolonged as long as its session lives, and then forgotten', async () => {
  await using replica = await startReplica()
  await using first = await WireClient.login(replica.pop3sPort)
  await first.say('QUIT')
  await using client = await WireClient.login(replica.pop3sPort)
  await stack.database.query("update maildrop_lease set expires_at = now() + interval '1 s'")
  await eventually(async () => {
    const { rowCount } = await stack.database.query(
      "select from maildrop_lease where expires_at > now() + interval '8 s'",
    )
    return rowCount === 1
  })
  assert.equal(await client.say('NOOP'), '+OK Still here')
  assert.deepEqual(errors, [], "the first session's lock is not missed")
})

test('a session that lost its lock is cut and removes nothing', async () => {
  await deliver('Subject: 1\r\n\r\n')
  await using replica = await startReplica()
  await using client = await WireClient.login(replica.pop3sPort)
  await client.say('DELE 1')
  await stack.database.query("update maildrop_lease set holder = 'thief'")
  assert.equal(await client.rest(), '')
  assert.equal(await count('maildrop_message'), 1)
  assert.equal(await count('maildrop_lease'), 1, "the thief's lock stays")
})

test('QUIT removes nothing when the lock was lost a moment ago', async () => {
  await deliver('Subject: 1\r\n\r\n')
  await using replica = await startReplica(600_000)
  await using client = await WireClient.login(replica.pop3sPort)
  await client.say('DELE 1')
  await stack.database.query("update maildrop_lease set holder = 'thief'")
  assert.match(await client.say('QUIT'), /^-ERR Some deleted messages were not removed/)
  assert.equal(await count('maildrop_message'), 1)
})

test('when the maildrop can not be listed, the lock is given back', async () => {
  await using replica = await startReplica()
  await stack.database.query('alter table maildrop_message rename to hidden')
  try {
    await assert.rejects(WireClient.login(replica.pop3sPort), /-ERR \[SYS\/TEMP\]/)
    assert.equal(await count('maildrop_lease'), 0)
  } finally {
    await stack.database.query('alter table hidden rename to maildrop_message')
  }
})

test('a database that is away makes logins unavailable, not wrong', async () => {
  await using leases = new LeaseKeeper(async () => new Set(), log)
  const away = () => Promise.reject(new DependencyAway('postgres'))
  const ports = storePorts(stack.database, away, leases, log)
  assert.deepEqual(await ports.login('bob@example.test', 'secret', '127.0.0.1'), { kind: 'unavailable' })
})
