// The extensions of POP3 on the wire (RFC 2449, 2595, 3206, 5034, 8314); each test names the section that it holds to.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from './ports.ts'
import { maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const ONE = 'Subject: one\r\n\r\nfirst\r\n'
const base64 = (text: string) => Buffer.from(text).toString('base64')
const PLAIN = base64('\0bob@example.test\0secret')

test('RFC 2449 section 4: a command may have 255 octets with its CRLF, and no more; AUTH is longer (RFC 5034 section 4)', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.match(await client.say(`USER ${'x'.repeat(248)}`), /^\+OK/)
  assert.match(await client.say(`USER ${'x'.repeat(249)}`), /^-ERR /)
  assert.match(await client.say(`AUTH PLAIN ${base64(`\0bob@example.test\0${'x'.repeat(900)}`)}`), /^-ERR \[AUTH\]/)
})

test('RFC 2449 section 5: CAPA is taken in both states, and announces what can be used now', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using plain = await WireClient.dial(server.pop3Port)
  const beforeTls = await plain.sayMulti('CAPA')
  assert.ok(beforeTls.includes('STLS') && !beforeTls.some((line) => /^(USER|SASL)/.test(line)))
  await using client = await WireClient.dialTls(server.pop3sPort)
  const beforeLogin = await client.sayMulti('CAPA')
  assert.ok(beforeLogin.includes('USER') && beforeLogin.includes('SASL PLAIN LOGIN') && !beforeLogin.includes('STLS'))
  await client.say(`AUTH PLAIN ${PLAIN}`)
  assert.deepEqual((await client.sayMulti('CAPA')).sort(), beforeLogin.sort())
})

test('RFC 2449 section 6: TOP, UIDL, RESP-CODES, PIPELINING, EXPIRE, LOGIN-DELAY and IMPLEMENTATION are as announced', async () => {
  await using server = await startServer(portsWith(maildropOf([ONE])))
  await using client = await WireClient.login(server.pop3sPort)
  const offered = await client.sayMulti('CAPA')
  for (const line of [
    'TOP',
    'UIDL',
    'RESP-CODES',
    'AUTH-RESP-CODE',
    'PIPELINING',
    'UTF8 USER',
    'EXPIRE NEVER',
    'LOGIN-DELAY 0',
  ])
    assert.ok(offered.includes(line), line)
  assert.ok(offered.some((line) => line.startsWith('IMPLEMENTATION ')))
  client.send('STAT\r\nTOP 1 0\r\nUIDL 1\r\nQUIT\r\n')
  assert.equal(
    await client.rest(),
    `+OK 1 ${ONE.length}\r\n+OK Top of message follows\r\nSubject: one\r\n\r\n.\r\n+OK 1 101\r\n+OK Bye\r\n`,
  )
  for (let round = 0; round < 3; round++) await loginAgain(server.pop3sPort)
})

/** LOGIN-DELAY 0: a client may come again at once. */
async function loginAgain(port: number): Promise<void> {
  await using client = await WireClient.login(port)
  assert.match(await client.say('QUIT'), /^\+OK/)
}

test('RFC 2449 section 8.1.2: [IN-USE] says that another session has the maildrop', async () => {
  const ports: Ports = { ...portsWith(maildropOf([])), openMaildrop: async () => ({ kind: 'in-use' }) }
  await using server = await startServer(ports)
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.match(await client.say(`AUTH PLAIN ${PLAIN}`), /^-ERR \[IN-USE\] /)
  await client.say('USER bob@example.test')
  assert.match(await client.say('PASS secret'), /^-ERR \[IN-USE\] /)
})

test('RFC 3206 section 4: [AUTH] is a matter of the credentials, [SYS/TEMP] one of the server', async () => {
  const outcomes = { refused: /^-ERR \[AUTH\] /, slowed: /^-ERR \[SYS\/TEMP\] /, unavailable: /^-ERR \[SYS\/TEMP\] / }
  for (const [kind, reply] of Object.entries(outcomes)) {
    const login: Ports['login'] = async () => ({ kind: kind as keyof typeof outcomes })
    await using server = await startServer({ ...portsWith(maildropOf([])), login })
    await using client = await WireClient.dialTls(server.pop3sPort)
    assert.match(await client.say(`AUTH PLAIN ${PLAIN}`), reply)
    assert.match(await client.say('NOOP'), /^-ERR Log in first/, 'the session goes on')
  }
})

test('RFC 2595 section 4: STLS is for the AUTHORIZATION state without TLS only', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { allowsPlaintextAuth: true })
  await using plain = await WireClient.dial(server.pop3Port)
  await plain.say('USER bob@example.test')
  assert.match(await plain.say('PASS secret'), /^\+OK/)
  assert.match(await plain.say('STLS'), /^-ERR /)
  await using client = await WireClient.dial(server.pop3Port)
  assert.match(await client.say('STLS'), /^\+OK/)
  await client.startTls()
  assert.match(await client.say('STLS'), /^-ERR /)
})

test('RFC 2595 section 4: what came before TLS, and what was known before it, is forgotten', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { allowsPlaintextAuth: true })
  await using client = await WireClient.dial(server.pop3Port)
  await client.say('USER bob@example.test')
  client.send('STLS\r\nPASS secret\r\nQUIT\r\n')
  assert.match(await client.line(), /^\+OK/)
  await client.startTls()
  assert.match(await client.say('PASS secret'), /^-ERR Send USER first/)
})

test('RFC 2595 section 4: a client that hangs up instead of negotiating is let go at once', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dial(server.pop3Port)
  client.socket.end('STLS\r\n')
  assert.equal(await client.rest(), '+OK Begin TLS negotiation\r\n')
})

test('RFC 5034 section 4: an initial response, "=" for an empty one, and "*" to cancel', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.match(await client.say('AUTH PLAIN ='), /^-ERR /)
  assert.equal(await client.say('AUTH PLAIN'), '+ ')
  assert.equal(await client.say('*'), '-ERR Authentication cancelled')
  assert.match(await client.say('AUTH LOGIN'), /^\+ /)
  assert.match(await client.say('*'), /^-ERR /)
  assert.match(await client.say(`AUTH PLAIN ${PLAIN}`), /^\+OK/)
})

test('RFC 5034 section 4: what is not base64 or too long is -ERR, and the client may go on', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  for (const response of ['!!!!', 'QUJD=', 'A', 'x'.repeat(20_000)]) {
    assert.match(await client.say('AUTH PLAIN'), /^\+ /)
    assert.match(await client.say(response), /^-ERR /, response.slice(0, 10))
  }
  assert.match(await client.say(`AUTH PLAIN ${PLAIN}`), /^\+OK/)
})

test('RFC 5034 section 4: AUTH is for the AUTHORIZATION state, and an unknown mechanism is -ERR', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.match(await client.say('AUTH XYZZY'), /^-ERR /)
  await client.say(`AUTH PLAIN ${PLAIN}`)
  assert.match(await client.say(`AUTH PLAIN ${PLAIN}`), /^-ERR /)
})

test('RFC 8314 section 3.1: on the port of implicit TLS nothing is said in clear text', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.match(await client.say('CAPA'), /^\+OK/)
})
