// The AUTHORIZATION state over real sockets: TLS first, then USER and PASS or AUTH.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Login, Ports } from './ports.ts'
import { maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const PLAIN = base64('\0bob@example.test\0secret')

test('before TLS no login is offered, and none is taken', async () => {
  const ports: Ports = { ...portsWith(maildropOf([])), login: () => assert.fail('a password was looked at') }
  await using server = await startServer(ports)
  await using client = await WireClient.dial(server.pop3Port)
  const offered = await client.sayMulti('CAPA')
  assert.deepEqual(offered, [
    'TOP',
    'UIDL',
    'RESP-CODES',
    'AUTH-RESP-CODE',
    'PIPELINING',
    'UTF8 USER',
    'LANG',
    'EXPIRE NEVER',
    'LOGIN-DELAY 0',
    'STLS',
    'IMPLEMENTATION Sekimori',
  ])
  for (const command of ['USER bob@example.test', 'PASS secret', 'AUTH', `AUTH PLAIN ${PLAIN}`, 'AUTH LOGIN']) {
    assert.match(await client.say(command), /^-ERR Passwords are only taken over an encrypted connection/)
  }
})

test('after STLS the client may log in', async () => {
  await using server = await startServer(portsWith(maildropOf(['one\r\n', 'three\r\n'])))
  await using client = await WireClient.dial(server.pop3Port)
  assert.equal(await client.say('STLS'), '+OK Begin TLS negotiation')
  await client.startTls()
  const offered = await client.sayMulti('CAPA')
  assert.ok(offered.includes('USER') && offered.includes('SASL PLAIN LOGIN') && !offered.includes('STLS'))
  assert.equal(await client.say('STLS'), '-ERR TLS is already active')
  assert.match(await client.say('USER bob@example.test'), /^\+OK/)
  assert.equal(await client.say('PASS secret'), '+OK 2 messages (12 octets)')
})

test('commands injected before TLS are dropped', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dial(server.pop3Port)
  client.send('STLS\r\nCAPA\r\nUSER evil@example.test\r\n')
  assert.match(await client.line(), /^\+OK/)
  await client.startTls()
  assert.equal(await client.say('NOOP'), '-ERR Log in first')
  assert.equal(await client.say('PASS secret'), '-ERR Send USER first')
})

test('commands that arrive while one before STLS is still being answered are dropped too', async () => {
  const { promise, resolve } = Promise.withResolvers<Login>()
  const ports: Ports = { ...portsWith(maildropOf([])), login: () => promise }
  await using server = await startServer(ports, { allowsPlaintextAuth: true })
  await using client = await WireClient.dial(server.pop3Port)
  client.send('USER bob@example.test\r\nPASS wrong\r\nSTLS\r\n')
  await client.line()
  await new Promise<void>((sent) => client.socket.write('USER evil@example.test\r\nNOOP\r\n', () => sent()))
  await using other = await WireClient.dial(server.pop3Port)
  await other.say('NOOP')
  resolve({ kind: 'refused' })
  assert.match(await client.line(), /^-ERR \[AUTH\]/)
  assert.match(await client.line(), /^\+OK/)
  await client.startTls()
  assert.equal(await client.say('PASS secret'), '-ERR Send USER first')
})

test('a name given before TLS is forgotten', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { allowsPlaintextAuth: true })
  await using client = await WireClient.dial(server.pop3Port)
  await client.say('USER bob@example.test')
  await client.say('STLS')
  await client.startTls()
  assert.equal(await client.say('PASS secret'), '-ERR Send USER first')
})

test('the legacy switch takes passwords without TLS', async () => {
  await using server = await startServer(portsWith(maildropOf([])), { allowsPlaintextAuth: true })
  await using client = await WireClient.dial(server.pop3Port)
  const offered = await client.sayMulti('CAPA')
  assert.ok(offered.includes('USER') && offered.includes('SASL PLAIN LOGIN') && offered.includes('STLS'))
  await client.say('USER bob@example.test')
  assert.equal(await client.say('PASS secret'), '+OK 0 messages (0 octets)')
})

test('implicit TLS greets inside TLS', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.login(server.pop3sPort)
  assert.equal(await client.say('STAT'), '+OK 0 0')
})

test('AUTH PLAIN works with and without an initial response', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using direct = await WireClient.dialTls(server.pop3sPort)
  assert.match(await direct.say(`auth plain ${PLAIN}`), /^\+OK/)
  await using asked = await WireClient.dialTls(server.pop3sPort)
  assert.equal(await asked.say('AUTH PLAIN'), '+ ')
  assert.match(await asked.say(PLAIN), /^\+OK/)
  await using named = await WireClient.dialTls(server.pop3sPort)
  assert.match(await named.say(`AUTH PLAIN ${base64('bob@example.test\0bob@example.test\0secret')}`), /^\+OK/)
})

test('AUTH LOGIN asks for name and password', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.equal(await client.say('AUTH LOGIN'), `+ ${base64('Username:')}`)
  assert.equal(await client.say(base64('bob@example.test')), `+ ${base64('Password:')}`)
  assert.match(await client.say(base64('secret')), /^\+OK/)
})

test('AUTH without a mechanism lists them', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.deepEqual(await client.sayMulti('AUTH'), ['PLAIN', 'LOGIN'])
  assert.equal(await client.say('AUTH CRAM-MD5'), '-ERR Unknown mechanism')
})

test('an exchange can be cancelled, and nonsense in it is refused without a login', async () => {
  const ports: Ports = { ...portsWith(maildropOf([])), login: () => assert.fail('a password was looked at') }
  await using server = await startServer(ports)
  await using client = await WireClient.dialTls(server.pop3sPort)
  await client.say('AUTH PLAIN')
  assert.equal(await client.say('*'), '-ERR Authentication cancelled')
  const nonsense = [
    'not base64!',
    '=',
    base64('bob@example.test'),
    base64('\0bob@example.test\0'),
    base64('carol@example.test\0bob@example.test\0secret'),
    base64('\0bob@example.test\0secret\0more'),
    base64('\0bob\r\n@example.test\0secret'),
    Buffer.from([0, 0xff, 0, 0xfe]).toString('base64'),
  ]
  for (const response of nonsense) {
    assert.equal(await client.say(`AUTH PLAIN ${response.replace(' ', '')}`), '-ERR The response can not be understood')
  }
  await client.say('AUTH LOGIN')
  await client.say(base64('bob\0@example.test'))
  assert.equal(await client.say(base64('secret')), '-ERR The response can not be understood')
})

test('a long SASL token fits, a longer one does not', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.match(await client.say(`AUTH PLAIN ${base64(`\0bob@example.test\0${'x'.repeat(8_000)}`)}`), /^-ERR \[AUTH\]/)
  assert.equal(await client.say(`AUTH PLAIN ${'A'.repeat(13_000)}`), '-ERR The line is too long')
})

test('wrong passwords and unknown accounts get the same answer, and five of them end the session', async () => {
  await using server = await startServer(portsWith(maildropOf([])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  const replies: string[] = []
  for (const name of ['bob@example.test', 'nobody@example.test', 'bob@example.test', 'x', 'bob@example.test']) {
    assert.match(await client.say(`USER ${name}`), /^\+OK/)
    replies.push(await client.say('PASS wrong'))
  }
  assert.deepEqual([...new Set(replies)], ['-ERR [AUTH] Wrong address or password'])
  assert.equal(await client.rest(), '')
})

test('spaces belong to the password', async () => {
  const seen: string[] = []
  const ports: Ports = {
    ...portsWith(maildropOf([])),
    login: async (_, password) => {
      seen.push(password)
      return { kind: 'refused' }
    },
  }
  await using server = await startServer(ports)
  await using client = await WireClient.dialTls(server.pop3sPort)
  await client.say('USER bob@example.test')
  await client.say('PASS  a b ')
  assert.deepEqual(seen, [' a b '])
})

test('a maildrop in use is said plainly, and the client may try again', async () => {
  let isInUse = true
  const ports: Ports = {
    ...portsWith(maildropOf([])),
    openMaildrop: async () => (isInUse ? { kind: 'in-use' } : { kind: 'open', maildrop: maildropOf([]) }),
  }
  await using server = await startServer(ports)
  await using client = await WireClient.dialTls(server.pop3sPort)
  assert.equal(await client.say(`AUTH PLAIN ${PLAIN}`), '-ERR [IN-USE] The maildrop is in use by another session')
  isInUse = false
  assert.match(await client.say(`AUTH PLAIN ${PLAIN}`), /^\+OK/)
})

test('a login that can not be decided is a passing fault that shows nothing of its cause', async () => {
  const internal = new Error('connect ECONNREFUSED 10.0.0.5:5432')
  const away: Ports[] = [
    { ...portsWith(maildropOf([])), login: async () => ({ kind: 'unavailable' }) },
    { ...portsWith(maildropOf([])), login: () => Promise.reject(internal) },
    { ...portsWith(maildropOf([])), openMaildrop: () => Promise.reject(internal) },
  ]
  for (const ports of away) {
    await using server = await startServer(ports)
    await using client = await WireClient.dialTls(server.pop3sPort)
    const reply = await client.say(`AUTH PLAIN ${PLAIN}`)
    assert.equal(reply, '-ERR [SYS/TEMP] The server can not check logins or open maildrops now, try again later')
  }
})

test('commands of the TRANSACTION state are refused before login, and QUIT says goodbye', async () => {
  await using server = await startServer(portsWith(maildropOf(['one\r\n'])))
  await using client = await WireClient.dialTls(server.pop3sPort)
  for (const command of ['STAT', 'LIST', 'RETR 1', 'DELE 1', 'NOOP', 'RSET', 'TOP 1 0', 'UIDL']) {
    assert.equal(await client.say(command), '-ERR Log in first')
  }
  client.send('QUIT\r\n')
  assert.equal(await client.rest(), '+OK Bye\r\n')
})

test('commands without a login are bounded, and so are logins that have to wait', async () => {
  const ports: Ports = { ...portsWith(maildropOf([])), login: async () => ({ kind: 'slowed' }) }
  await using server = await startServer(ports)
  await using idle = await WireClient.dial(server.pop3Port)
  for (let i = 0; i < 50; i++) await idle.sayMulti('CAPA')
  assert.equal(await idle.rest(), '-ERR Too many commands without a login\r\n')
  await using guessing = await WireClient.dialTls(server.pop3sPort)
  for (let i = 0; i < 5; i++) assert.match(await guessing.say(`AUTH PLAIN ${PLAIN}`), /^-ERR \[SYS\/TEMP\]/)
  assert.equal(await guessing.rest(), '')
})
