// What strangers may send, how many of them may come, and how the server stops.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import type { Login, Ports } from './ports.ts'
import { eventually, maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { NoReply, WireClient } from './testing/wire-client.ts'

test('what is no command gets a clear refusal', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dial(server.pop3Port)
  const refused: [string | Buffer, string][] = [
    ['\r\n', 'Unknown command'],
    ['XYZZY\r\n', 'Unknown command'],
    ['GET / HTTP/1.1\r\n', 'Unknown command'],
    ['\0\0\r\n', 'The line has characters that are not allowed'],
    ['USER bob\rPASS x\r\n', 'The line has characters that are not allowed'],
    [Buffer.from([0x55, 0xff, 0xfe, 0x0d, 0x0a]), 'The line is not UTF-8'],
    [`USER ${'x'.repeat(249)}\r\n`, 'The line is too long'],
    [`${'x'.repeat(100_000)}\r\n`, 'The line is too long'],
    ['CAPA now\r\n', 'CAPA takes no argument'],
    ['TOP 1\r\n', 'TOP takes a message-number and a number of lines'],
    ['USER  \r\n', 'USER takes a name'],
    ['AUTH a b c\r\n', 'AUTH takes a mechanism and an initial response'],
  ]
  for (const [line, reason] of refused) {
    client.send(line)
    assert.equal(await client.line(), `-ERR ${reason}`)
  }
})

test('a command of 255 octets is taken', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.match(await client.say(`USER ${'x'.repeat(248)}`), /^\+OK/)
})

test('a line may end with a bare LF, as from a terminal', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dial(server.pop3Port)
  client.send('noop\nquit\n')
  assert.equal(await client.rest(), '-ERR Log in first\r\n+OK Bye\r\n')
})

test('too many bad commands end the session', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dial(server.pop3Port)
  client.send('rubbish\r\n'.repeat(1_000))
  const replies = (await client.rest()).trimEnd().split('\r\n')
  assert.equal(replies.length, 21)
  assert.equal(replies.at(-1), '-ERR Too many bad commands')
})

test('the replies of a client that stops sending still arrive', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dial(server.pop3Port)
  client.socket.end('NOOP\r\nCAPA\r\n')
  assert.match(await client.rest(), /^-ERR Log in first\r\n\+OK Capabilities follow\r\n[^.]*\r\n\.\r\n$/)
})

test('a login that is still being checked when the client stops sending is answered all the same', async () => {
  const { promise, resolve } = Promise.withResolvers<Login>()
  const ports: Ports = { ...portsWith(maildropOf([])), login: () => promise }
  await using server = await startServer(ports, { allowsPlaintextAuth: true })
  await using client = await WireClient.dial(server.pop3Port)
  client.socket.end('USER bob@example.test\r\nPASS wrong\r\nQUIT\r\n')
  await client.line()
  await using other = await WireClient.dial(server.pop3Port)
  await other.say('NOOP')
  resolve({ kind: 'refused' })
  assert.match(await client.rest(), /^-ERR \[AUTH\].*\r\n\+OK Bye\r\n$/)
})

test('a client that resets the connection costs nobody else their session', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using other = await WireClient.dial(server.pop3Port)
  for (const dial of [() => WireClient.dial(server.pop3Port), () => WireClient.login(server.pop3sPort)]) {
    const client = await dial()
    client.send('NOOP\r\n')
    const socket = client.transport
    socket.resetAndDestroy()
  }
  await eventually(() => server.logged.length === 2, 'both sessions end')
  assert.equal(await other.say('NOOP'), '-ERR Log in first')
})

test('a session too many is turned away while all others have logged in, and they go on', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { maxSessions: 1 })
  const first = await WireClient.login(server.pop3sPort)
  await using second = new WireClient(connect(server.pop3Port, '127.0.0.1'))
  assert.equal(await second.rest(), '-ERR [SYS/TEMP] Too many sessions, try again later\r\n')
  assert.equal(await first.say('NOOP'), '+OK Still here')
  await first[Symbol.asyncDispose]()
  await eventually(() => server.logged.length === 1, 'the first session ends')
  await using third = await WireClient.dial(server.pop3Port)
  assert.equal(await third.say('NOOP'), '-ERR Log in first')
})

test('a handshake that fails costs nobody else their session', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using stranger = new WireClient(connect(server.pop3sPort, '127.0.0.1'))
  stranger.send('USER bob@example.test\r\n')
  assert.ok(!(await stranger.rest()).includes('+OK'))
  await using second = await WireClient.dial(server.pop3Port)
  await second.say('STLS')
  second.send('this is no ClientHello\r\n')
  await second.rest()
  await using client = await WireClient.login(server.pop3sPort)
  assert.equal(await client.say('NOOP'), '+OK Still here')
  assert.ok(server.logged.every(({ level }) => level === 'info'))
})

test('a handshake that never ends is given up', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { handshakeTimeoutMs: 300 })
  await using mute = new WireClient(connect(server.pop3sPort, '127.0.0.1'))
  assert.equal(await mute.rest(), '')
})

test('a client that takes nothing in is cut off, and its maildrop is free again', async () => {
  const maildrop = maildropOf(['a: b\r\n'], {
    async *read() {
      for (;;) yield Buffer.alloc(100_000, 'endless\r\n')
    },
  })
  await using server = await startServer(portsWith(maildrop), { idleTimeoutMs: 1_500 })
  await using client = await WireClient.login(server.pop3sPort)
  client.socket.pause()
  client.send('RETR 1\r\n')
  await eventually(() => maildrop.closed === 1, 'the lock is given back')
})

test('each session leaves one log line, without the password', async () => {
  await using server = await startServer(portsWith(maildropOf(['a: b\r\n\r\n'])))
  await using client = await WireClient.login(server.pop3sPort)
  await client.say('DELE 1')
  await client.say('QUIT')
  await eventually(() => server.logged.length === 1, 'the session is logged')
  const { ms, ...facts } = server.logged[0]!.facts as { ms: number }
  assert.ok(ms >= 0)
  assert.deepEqual(facts, {
    outcome: 'quit',
    account: 'bob@example.test',
    removed: 1,
    clientAddress: '127.0.0.1',
    tls: true,
  })
  assert.ok(!JSON.stringify(server.logged).includes('secret'))
})

test('stopping takes no new session, lets an active one finish, and cuts a silent one', async () => {
  const maildrop = maildropOf(['a: b\r\n\r\n'])
  const server = await startServer(portsWith(maildrop), { drainTimeoutMs: 60_000 })
  await using active = await WireClient.login(server.pop3sPort)
  await using silent = await WireClient.dial(server.pop3Port)
  await active.say('DELE 1')
  const stopped = server[Symbol.asyncDispose]()
  await assert.rejects(WireClient.dial(server.pop3Port), NoReply)
  assert.equal(await active.say('QUIT'), '+OK 1 messages removed, bye')
  assert.equal(await silent.rest(), '')
  await stopped
  assert.deepEqual(maildrop.removed, [101])
})

test('stopping cuts what does not end in time', async () => {
  const hanging: Ports = {
    ...portsWith(maildropOf([])),
    login: () => new Promise((resolve) => setTimeout(resolve, 500, { kind: 'refused' })),
  }
  const server = await startServer(hanging, { drainTimeoutMs: 100 })
  await using client = await WireClient.dialTls(server.pop3sPort)
  client.send('USER bob@example.test\r\nPASS x\r\n')
  await client.line()
  await server[Symbol.asyncDispose]()
  assert.equal(await client.rest(), '')
})
