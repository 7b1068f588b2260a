// RFC 1939 on the wire, requirement by requirement; each test names the section that it holds the server to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Value } from 'typebox/value'
import { schema } from './config.ts'
import { maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const ONE = 'Subject: one\r\n\r\nfirst\r\n'
const TWO = 'Subject: two\r\n\r\n.\r\n..x\r\nlast\r\n'
const COMMANDS = ['STAT', 'LIST', 'LIST 1', 'UIDL', 'UIDL 1', 'RETR 1', 'TOP 1 0', 'DELE 1', 'NOOP', 'RSET', 'CAPA']

/** A logged-in client of a maildrop with these messages. */
async function open(texts = [ONE, TWO]) {
  const maildrop = maildropOf(texts)
  const server = await startServer(portsWith(maildrop))
  const client = await WireClient.login(server.pop3sPort)
  return {
    client,
    maildrop,
    server,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      await server[Symbol.asyncDispose]()
    },
  }
}

test('RFC 1939 section 3: keywords are case-insensitive, and every reply begins with +OK or -ERR in upper case', async () => {
  await using session = await open()
  for (const command of ['stat', 'StAt', 'noop', 'lIsT 1', 'xyzzy', 'retr 9'])
    assert.match(await session.client.say(command), /^(\+OK|-ERR) /, command)
})

test('RFC 1939 section 3: no reply line is longer than 512 octets with its CRLF, whatever is asked', async () => {
  await using session = await open()
  const { client } = session
  for (const command of [...COMMANDS, `USER ${'x'.repeat(400)}`, 'x'.repeat(5_000)]) client.send(`${command}\r\n`)
  client.send('QUIT\r\n')
  for (const line of (await client.rest()).split('\r\n')) assert.ok(line.length <= 510, line)
})

test('RFC 1939 section 3: what is unknown, or out of its state, is -ERR and changes nothing', async () => {
  await using server = await startServer(portsWith(maildropOf([ONE])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  for (const command of COMMANDS.filter((text) => text !== 'CAPA')) assert.match(await client.say(command), /^-ERR /)
  await client.say('USER bob@example.test')
  assert.match(await client.say('PASS secret'), /^\+OK/)
  for (const command of ['USER x', 'PASS x', 'AUTH PLAIN', 'STLS', 'XYZZY', ''])
    assert.match(await client.say(command), /^-ERR /, command)
  assert.equal(await client.say('STAT'), `+OK 1 ${ONE.length}`)
})

test('RFC 1939 section 3: lines of a multi-line reply that begin with the termination octet are stuffed', async () => {
  await using session = await open(['.\r\n..\r\n...\r\n. \r\n.a\r\na.\r\n'])
  await session.client.say('RETR 1')
  assert.equal((await session.client.until('\r\n.\r\n')).toString(), '..\r\n...\r\n....\r\n.. \r\n..a\r\na.\r\n.\r\n')
})

test('RFC 1939 section 3: the inactivity timer can not be set below 10 minutes', () => {
  const settings = (POP3_IDLE_TIMEOUT_MS: number) =>
    Value.Check(schema, {
      ...Value.Create(schema),
      DATABASE_URL: 'x',
      TLS_CERT_FILE: 'x',
      TLS_KEY_FILE: 'x',
      POP3_IDLE_TIMEOUT_MS,
    })
  assert.ok(settings(600_000) && !settings(599_999))
})

test('RFC 1939 section 4: the greeting is one +OK line, and QUIT ends the session without a login', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  const socket = await WireClient.dialTls(server.pop3sPort)
  await using client = socket
  client.send('quit\r\n')
  assert.match(await client.rest(), /^\+OK [^\r\n]*\r\n$/)
})

test('RFC 1939 section 4: messages are numbered from 1 in decimal, and sizes are octets with CRLF as two', async () => {
  await using session = await open()
  assert.deepEqual(await session.client.sayMulti('LIST'), [`1 ${ONE.length}`, `2 ${TWO.length}`])
})

test('RFC 1939 section 5: STAT is "+OK nn mm" and counts no message that is marked as deleted', async () => {
  await using session = await open()
  assert.equal(await session.client.say('STAT'), `+OK 2 ${ONE.length + TWO.length}`)
  await session.client.say('DELE 1')
  assert.equal(await session.client.say('STAT'), `+OK 1 ${TWO.length}`)
})

test('RFC 1939 section 5: LIST n is one scan listing, and a deleted or missing one is -ERR', async () => {
  await using session = await open()
  const { client } = session
  assert.equal(await client.say('LIST 2'), `+OK 2 ${TWO.length}`)
  await client.say('DELE 2')
  for (const command of ['LIST 2', 'LIST 3', 'LIST 0']) assert.match(await client.say(command), /^-ERR /)
  assert.deepEqual(await client.sayMulti('LIST'), [`1 ${ONE.length}`])
})

test('RFC 1939 section 5: RETR sends exactly the octets of the listing, the last line included', async () => {
  for (const text of [ONE, TWO, 'a: b\r\n\r\n', 'a: b\r\n\r\n\r\n\r\n', '.\r\n', `${'x'.repeat(70_000)}\r\n.\r\n`]) {
    await using session = await open([text])
    const { client } = session
    const size = Number((await client.say('LIST 1')).split(' ')[2])
    await client.say('RETR 1')
    const sent = (await client.until('\r\n.\r\n')).toString('latin1').slice(0, -3)
    assert.equal(sent.replaceAll(/^\./gm, ''), text)
    assert.equal(size, text.length)
  }
})

test('RFC 1939 section 5: DELE of a deleted message is -ERR, NOOP does nothing, RSET unmarks all', async () => {
  await using session = await open()
  const { client, maildrop } = session
  assert.match(await client.say('DELE 1'), /^\+OK /)
  assert.match(await client.say('DELE 1'), /^-ERR /)
  assert.match(await client.say('NOOP'), /^\+OK/)
  assert.match(await client.say('RSET'), /^\+OK/)
  assert.equal(await client.say('STAT'), `+OK 2 ${ONE.length + TWO.length}`)
  assert.match(await client.say('QUIT'), /^\+OK/)
  assert.deepEqual(maildrop.removed, [])
})

test('RFC 1939 section 6: only QUIT in the TRANSACTION state removes, whatever else ends the session', async () => {
  for (const end of ['QUIT', 'rubbish', 'cut'] as const) {
    await using session = await open()
    const { client, maildrop, server } = session
    await client.say('DELE 2')
    if (end === 'QUIT') client.send('QUIT\r\n')
    else if (end === 'rubbish') client.send('rubbish\r\n'.repeat(30))
    else client.socket.end('QUI')
    await client.rest()
    await server.server[Symbol.asyncDispose]()
    assert.deepEqual(maildrop.removed, end === 'QUIT' ? [102] : [], end)
  }
})

test('RFC 1939 section 7: TOP sends the header, the blank line and n lines; all of it when there are no more', async () => {
  await using session = await open()
  const { client } = session
  assert.deepEqual(await client.sayMulti('TOP 2 0'), ['Subject: two', ''])
  assert.deepEqual(await client.sayMulti('TOP 2 1'), ['Subject: two', '', '..'])
  assert.deepEqual(await client.sayMulti('TOP 2 3'), ['Subject: two', '', '..', '...x', 'last'])
  assert.deepEqual(await client.sayMulti('TOP 2 9999999999'), ['Subject: two', '', '..', '...x', 'last'])
  for (const command of ['TOP 2', 'TOP 2 -1', 'TOP 3 0', 'TOP']) assert.match(await client.say(command), /^-ERR /)
})

test('RFC 1939 section 7: a unique-id is 1 to 70 printable characters without space, and stays that of its message', async () => {
  await using session = await open()
  const { client } = session
  const listed = (await client.sayMulti('UIDL')).map((line) => line.split(' ')[1]!)
  for (const uid of listed) assert.match(uid, /^[\x21-\x7e]{1,70}$/)
  assert.equal(new Set(listed).size, 2)
  await client.say('DELE 1')
  assert.equal(await client.say('UIDL 2'), `+OK 2 ${listed[1]}`)
})

test('RFC 1939 section 7: PASS counts only right after USER, and spaces belong to the password', async () => {
  const seen: string[] = []
  const ports = portsWith(maildropOf([]))
  await using server = await startServer({
    ...ports,
    login: async (name, password) => {
      seen.push(`${name}|${password}`)
      return { kind: 'refused' }
    },
  })
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.match(await client.say('PASS secret'), /^-ERR /)
  await client.say('USER bob@example.test')
  assert.match(await client.say('PASS a b  c'), /^-ERR \[AUTH\]/)
  assert.match(await client.say('PASS a b  c'), /^-ERR Send USER first/)
  assert.deepEqual(seen, ['bob@example.test|a b  c'])
})
