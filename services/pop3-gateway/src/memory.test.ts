// What a large maildrop and a large message cost the process in memory: little, and nothing by their size.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createAccount } from '@sekimori/store/account-admin'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { startGateway } from './testing/gateway-process.ts'
import { WireClient } from './testing/wire-client.ts'

const MESSAGES = 100_000
/** Header lines of a message; whoever reads them for a listing holds 400 MB. */
const ADDED = `X-Added: ${'x'.repeat(4_000)}\r\n`
const CHUNK = Buffer.from('a line of fifty octets, more or less, and its end.\r\n'.repeat(10_000))
const MESSAGE_BYTES = 100 * CHUNK.length
/** Far less than a list of objects for 100,000 messages, or one large message, would take several times over. */
const HEAP = '--max-old-space-size=40'
const GROWTH_MAX_BYTES = 60_000_000
/** A mail's header, and that of its first part; and what a client sees of them that knows no UTF-8. */
const INTERNATIONAL =
  'Subject: 花\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: a/b; name=花\r\n\r\n'
const IN_ASCII = INTERNATIONAL.replace('花', '=?utf-8?B?6Iqx?=').replace('; name=花', ";\r\n name*=utf-8''%E8%8A%B1")
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
  const { database } = stack
  await database.query("insert into domain (name) values ('example.test')")
  for (const name of ['small', 'many', 'large'])
    await createAccount(database, { address: `${name}@example.test`, password: 'secret pass', locale: 'ja' })
  await database.query(
    "insert into content (id, size_bytes, bytes) values ('c', 10, 'a: b\r\n\r\nx\r\n'), ('large', $1, null)",
    [MESSAGE_BYTES],
  )
  await database.query(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes)
     select id, 'q' || n, 'c', $1, 10 + $2 from account, generate_series(1, ${MESSAGES}) n where address = 'many@example.test'`,
    [ADDED, ADDED.length],
  )
  for (let seq = 0; seq * CHUNK.length < MESSAGE_BYTES; seq++) {
    const bytes = CHUNK.subarray(0, MESSAGE_BYTES - seq * CHUNK.length)
    await database.query("insert into content_chunk (content_id, seq, bytes) values ('large', $1, $2)", [seq, bytes])
  }
  await database.query(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes)
     select id, 'q', 'large', '', ${MESSAGE_BYTES} from account where address = 'large@example.test'`,
  )
  await database.query(
    `insert into maildrop_message (account_id, queue_id, content_id, added, size_bytes, surrogate_bytes)
     select id, 'q', 'large', $1, ${MESSAGE_BYTES} + $2, ${MESSAGE_BYTES} + $3 from account where address = 'large@example.test'`,
    [INTERNATIONAL, Buffer.byteLength(INTERNATIONAL), IN_ASCII.length],
  )
})
after(() => stack[Symbol.asyncDispose]())

const login = (port: number, name: string) => WireClient.login(port, `${name}@example.test`, 'secret pass')

test('100,000 messages are open, listed and removed within 60 MB of memory', { timeout: 170_000 }, async () => {
  await using gateway = await startGateway(stack.url, { nodeOptions: [HEAP] })
  await (await login(gateway.pop3sPort, 'small'))[Symbol.asyncDispose]()
  const before = await gateway.peakMemoryBytes()
  await using client = await login(gateway.pop3sPort, 'many')
  assert.equal(await client.say('STAT'), `+OK ${MESSAGES} ${MESSAGES * (10 + ADDED.length)}`)
  for (const command of ['LIST', 'UIDL']) {
    client.send(`${command}\r\n`)
    const octets = await client.countUntilEnd()
    assert.ok(octets > MESSAGES * 8, `${command}: ${octets} octets`)
  }
  assert.equal(await client.say(`LIST ${MESSAGES}`), `+OK ${MESSAGES} ${10 + ADDED.length}`)
  const growth = (await gateway.peakMemoryBytes()) - before
  assert.ok(growth < GROWTH_MAX_BYTES, `${growth} octets`)
})

test('a message of 50 MB streams in memory that does not depend on its size, its surrogate (RFC 6856) as well', {
  timeout: 170_000,
}, async () => {
  await using gateway = await startGateway(stack.url, { nodeOptions: [HEAP] })
  await (await login(gateway.pop3sPort, 'small'))[Symbol.asyncDispose]()
  const before = await gateway.peakMemoryBytes()
  await using client = await login(gateway.pop3sPort, 'large')
  for (const [index, sizeBytes] of [MESSAGE_BYTES, MESSAGE_BYTES + IN_ASCII.length].entries()) {
    client.send(`RETR ${index + 1}\r\n`)
    const octets = await client.countUntilEnd(true)
    assert.equal(octets, `+OK ${sizeBytes} octets\r\n`.length + sizeBytes + '.\r\n'.length)
  }
  const growth = (await gateway.peakMemoryBytes()) - before
  assert.ok(growth < GROWTH_MAX_BYTES, `${growth} octets`)
})
