// Who has not logged in has little time, and makes room for others when the process is full: silent strangers from many
// addresses must not shut the users out.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { Login, Ports } from './ports.ts'
import { maildropOf, openDoor, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const SHED = '-ERR [SYS/TEMP] The server is full, and you have not logged in yet: try again later\r\n'
const PLAIN = Buffer.from('\0bob@example.test\0secret').toString('base64')

test('when the process is full, the oldest that has not logged in makes room, and is told so', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { maxSessions: 3 })
  await using user = await WireClient.login(server.pop3sPort)
  await using oldest = await WireClient.dial(server.pop3Port)
  await using older = await WireClient.dialTls(server.pop3sPort)
  await using newer = await WireClient.login(server.pop3sPort)
  assert.equal(await oldest.rest(), SHED)
  assert.equal(await older.say('NOOP'), '-ERR Log in first')
  await using newest = await WireClient.dial(server.pop3Port)
  assert.equal(await older.rest(), SHED)
  for (const client of [user, newer]) assert.equal(await client.say('NOOP'), '+OK Still here')
  assert.equal(await newest.say('NOOP'), '-ERR Log in first')
})

test('silent strangers never keep a user out, however many come at once', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { maxSessions: 5 })
  const strangers = Array.from({ length: 40 }, (_, index) => {
    const port = index % 2 === 0 ? server.pop3Port : server.pop3sPort
    return new WireClient(connect(port, '127.0.0.1'))
  })
  await using user = await WireClient.login(server.pop3sPort)
  assert.equal(await user.say('NOOP'), '+OK Still here')
  // Those of the port of TLS began no handshake: they are cut without a word.
  const ended = await Promise.all(strangers.slice(0, 30).map((stranger) => stranger.rest()))
  assert.deepEqual([...new Set(ended.map((text) => text.replace(/^\+OK.*\r\n/, '')))].sort(), ['', SHED])
  for (const stranger of strangers) stranger.socket.destroy()
})

test('who is refused by the limits of its address makes nobody leave', async () => {
  let isShut = false
  const admission: Ports['admission'] = { ...openDoor, admit: () => (isShut ? 'Not from there' : undefined) }
  await using server = await startServer({ ...portsWith(maildropOf([])), admission }, { maxSessions: 1 })
  await using first = await WireClient.dial(server.pop3Port)
  isShut = true
  await using second = new WireClient(connect(server.pop3Port, '127.0.0.1'))
  assert.equal(await second.rest(), '-ERR [SYS/TEMP] Not from there\r\n')
  assert.equal(await first.say('NOOP'), '-ERR Log in first')
})

test('a login that is being checked is not shed; when all are busy, the new one is turned away and leaves', async () => {
  const { promise, resolve } = Promise.withResolvers<Login>()
  let inside = 0
  const ports: Ports = {
    ...portsWith(maildropOf([])),
    admission: { admit: () => void inside++, leave: () => void inside-- },
    login: () => promise,
  }
  await using server = await startServer(ports, { maxSessions: 1 })
  await using busy = await WireClient.dialTls(server.pop3sPort)
  busy.send(`CAPA\r\nAUTH PLAIN ${PLAIN}\r\n`)
  await busy.until('\r\n.\r\n')
  await using second = new WireClient(connect(server.pop3Port, '127.0.0.1'))
  const refusal = await second.rest()
  const left = inside
  resolve({ kind: 'ok', account: { id: 7, address: 'bob@example.test' } })
  assert.match(await busy.line(), /^\+OK 0 messages/)
  assert.equal(refusal, '-ERR [SYS/TEMP] Too many sessions, try again later\r\n')
  assert.equal(left, 1, 'only the busy one is inside')
})

test('who does not log in within the time for that is cut, however much it talks; who has logged in is not', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { loginTimeoutMs: 6_000 })
  await using user = await WireClient.login(server.pop3sPort)
  await using silent = await WireClient.dial(server.pop3Port)
  await using talker = await WireClient.dial(server.pop3Port)
  const chatter = setInterval(() => talker.socket.writable && talker.send('CAPA\r\n'), 400)
  try {
    assert.equal(await silent.rest(), '')
    assert.doesNotMatch(await talker.rest(), /Too many/)
  } finally {
    clearInterval(chatter)
  }
  assert.equal(await user.say('NOOP'), '+OK Still here')
})

test('a client that asks for AUTH and never answers, or begins TLS and never speaks it, is cut in time', async () => {
  const settings = { loginTimeoutMs: 6_000, handshakeTimeoutMs: 4_000 }
  await using server = await startServer(portsWith(maildropOf([])), settings)
  await using asking = await WireClient.dialTls(server.pop3sPort)
  assert.equal(await asking.say('AUTH PLAIN'), '+ ')
  await using mute = new WireClient(connect(server.pop3sPort, '127.0.0.1'))
  await using halfway = await WireClient.dial(server.pop3Port)
  assert.equal(await halfway.say('STLS'), '+OK Begin TLS negotiation')
  for (const client of [asking, mute, halfway]) assert.equal(await client.rest(), '')
})
