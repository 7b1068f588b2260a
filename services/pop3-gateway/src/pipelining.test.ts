// Commands that come before the replies to those ahead of them (RFC 2449 section 6.6): all in one packet, or cut anywhere; and
// what comes behind STLS and QUIT.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Ports } from './ports.ts'
import { eventually, maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const ONE = 'Subject: one\r\n\r\nfirst\r\n'
const TWO = 'Subject: two\r\n\r\n.last\r\n'
const BOTH = `2 messages (${ONE.length + TWO.length} octets)`
const PLAIN = Buffer.from('\0bob@example.test\0secret').toString('base64')
const lines = (...text: string[]) => `${text.join('\r\n')}\r\n`
const LOGIN = ['USER bob@example.test', 'PASS secret']

/** A world that notes who tried to log in. */
function noting() {
  const maildrop = maildropOf([ONE, TWO])
  const ports = portsWith(maildrop)
  const names: string[] = []
  const login: Ports['login'] = (name, ...rest) => {
    names.push(name)
    return ports.login(name, ...rest)
  }
  return { maildrop, names, ports: { ...ports, login } }
}

test('RFC 2449 6.6 a whole session in one packet, login included, is answered command by command, however it is cut', async () => {
  const said = lines(...LOGIN, 'STAT', 'UIDL 2', 'TOP 1 0', 'RETR 2', 'DELE 1', 'LIST', 'XYZZY', 'NOOP', 'QUIT')
  const heard = lines(
    '+OK Send the password',
    `+OK ${BOTH}`,
    `+OK 2 ${ONE.length + TWO.length}`,
    '+OK 2 102',
    '+OK Top of message follows\r\nSubject: one\r\n\r\n.',
    `+OK ${TWO.length} octets\r\nSubject: two\r\n\r\n..last\r\n.`,
    '+OK Message 1 marked as deleted',
    `+OK 1 messages (${TWO.length} octets)\r\n2 ${TWO.length}\r\n.`,
    '-ERR Unknown command',
    '+OK Still here',
    '+OK 1 messages removed, bye',
  )
  for (const sizeOctets of [said.length, 1, 7, 40]) {
    const { maildrop, ports } = noting()
    await using server = await startServer(ports, { allowsPlaintextAuth: true })
    await using plain = await WireClient.dial(server.pop3Port)
    await using secure = await WireClient.dialTls(server.pop3sPort)
    for (const client of [plain, secure]) {
      for (let at = 0; at < said.length; at += sizeOctets) client.send(said.slice(at, at + sizeOctets))
      assert.equal(await client.rest(), heard)
    }
    assert.deepEqual(maildrop.removed, [101, 101])
  }
})

test('a login by AUTH is pipelined with what comes behind it, and so is one that fails', async () => {
  const { ports } = noting()
  await using server = await startServer(ports)
  await using client = await WireClient.dialTls(server.pop3sPort)
  client.send(
    lines('AUTH PLAIN', '*', 'USER bob@example.test', 'PASS wrong', 'STAT', `AUTH PLAIN ${PLAIN}`, 'STAT', 'QUIT'),
  )
  const heard = [
    '+ ',
    '-ERR Authentication cancelled',
    '+OK Send the password',
    '-ERR [AUTH] Wrong address or password',
    '-ERR Log in first',
    `+OK ${BOTH}`,
    `+OK 2 ${ONE.length + TWO.length}`,
    '+OK Bye',
  ]
  assert.equal(await client.rest(), lines(...heard))
})

test('RFC 2595 4 what comes behind STLS in clear text is neither answered nor done, in the same packet or after the reply', async () => {
  const { maildrop, names, ports } = noting()
  await using server = await startServer(ports, { allowsPlaintextAuth: true })
  await using client = await WireClient.dial(server.pop3Port)
  client.send(lines('NOOP', 'STLS', ...LOGIN, 'DELE 1', 'QUIT', 'USER eve'))
  assert.equal((await client.until('negotiation\r\n')).toString(), '-ERR Log in first\r\n+OK Begin TLS negotiation\r\n')
  await client.startTls()
  assert.equal(await client.say('PASS secret'), '-ERR Send USER first')
  assert.ok((await client.sayMulti('CAPA')).every((line) => line !== 'STLS'))
  await client.say('USER bob@example.test')
  assert.equal(await client.say('PASS secret'), `+OK ${BOTH}`)
  assert.equal(await client.say('QUIT'), '+OK Bye')

  await using late = await WireClient.dial(server.pop3Port)
  assert.equal(await late.say('STLS'), '+OK Begin TLS negotiation')
  late.send(lines(...LOGIN, 'DELE 1', 'QUIT'))
  assert.doesNotMatch(await late.rest(), /\+OK|-ERR/)
  assert.deepEqual([names, maildrop.removed], [['bob@example.test'], []])
})

test('RFC 1939 6 what comes behind QUIT is neither answered nor done, before the login and after it', async () => {
  const { maildrop, names, ports } = noting()
  await using server = await startServer(ports)
  await using stranger = await WireClient.dialTls(server.pop3sPort)
  stranger.send(lines('QUIT', ...LOGIN, 'DELE 2', 'QUIT'))
  assert.equal(await stranger.rest(), '+OK Bye\r\n')
  assert.deepEqual(names, [])
  await using client = await WireClient.login(server.pop3sPort)
  client.send(lines('DELE 1', 'QUIT', 'DELE 2', 'RSET', 'QUIT', 'x'.repeat(100_000)))
  assert.equal(await client.rest(), lines('+OK Message 1 marked as deleted', '+OK 1 messages removed, bye'))
  assert.deepEqual(maildrop.removed, [101])
})

test('RFC 1939 6 a QUIT that has no line end is none', async () => {
  const { maildrop, ports } = noting()
  await using server = await startServer(ports)
  await using client = await WireClient.login(server.pop3sPort)
  client.socket.end('DELE 1\r\nQUIT')
  assert.equal(await client.rest(), '+OK Message 1 marked as deleted\r\n')
  await eventually(() => maildrop.closed === 1, 'the session ends')
  assert.deepEqual(maildrop.removed, [])
})
