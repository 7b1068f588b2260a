// Whatever is said to it, in whatever pieces, the server answers every line and stays well. Seeded: a failure can be repeated.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const SEED = Number(process.env.FUZZ_SEED ?? 1939)
const COMMANDS = Number(process.env.FUZZ_COMMANDS ?? 3_000)
const COMMANDS_A_SESSION = 15

/** A small generator of repeatable numbers (mulberry32): an integer below `below`. */
function numbersFrom(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

const VERBS = [
  'USER',
  'PASS',
  'AUTH',
  'CAPA',
  'STAT',
  'LIST',
  'UIDL',
  'RETR',
  'TOP',
  'DELE',
  'RSET',
  'NOOP',
  'stls',
  'XYZZY',
  '',
]
const ARGUMENTS = [
  '',
  '1',
  '2',
  '3',
  '0',
  '-1',
  '99999999999999999999',
  '1 0',
  '2 1',
  '1 99999',
  'PLAIN',
  'PLAIN =',
  'PLAIN AGJvYkBleGFtcGxlLnRlc3QAd3Jvbmc=',
  'LOGIN',
  'bob@example.test',
  'secret',
  '%n%s\u{1f4a9}',
  'x'.repeat(300),
  'x'.repeat(20_000),
  '\0',
  '\r',
  '\u00a0',
  ' '.repeat(200),
]

function commandFrom(below: (limit: number) => number): Buffer {
  const line = `${VERBS[below(VERBS.length)]} ${ARGUMENTS[below(ARGUMENTS.length)]}`
  const octets = Buffer.from(line)
  if (below(8) === 0 && octets.length > 0) octets[below(octets.length)] = [0x00, 0x0d, 0x80, 0xff, 0x2a][below(5)]!
  return Buffer.concat([octets, Buffer.from(below(6) === 0 ? '\n' : '\r\n')])
}

const STATUS = /^(\+OK|-ERR|\+ )/
const LEAK = /node:|\.ts|Error|undefined|\[object/

async function converse(client: WireClient, below: (limit: number) => number): Promise<void> {
  const said = Array.from({ length: COMMANDS_A_SESSION }, () => commandFrom(below))
  const octets = Buffer.concat([...said, Buffer.from('*\r\nNOOP\r\nQUIT\r\n')])
  for (let from = 0; from < octets.length; ) {
    const to = from + 1 + below(400)
    client.send(octets.subarray(from, to))
    from = to
  }
  const replies = (await client.rest()).split('\r\n')
  assert.match(replies[0]!, STATUS)
  assert.equal(
    replies.find((line) => LEAK.test(line)),
    undefined,
  )
}

test(`${COMMANDS} commands from seed ${SEED}, before and after login`, { timeout: 60_000 }, async () => {
  const below = numbersFrom(SEED)
  const maildrop = maildropOf(['Subject: 1\r\n\r\n.\r\n', 'Subject: 2\r\n\r\nno end', ''])
  await using server = await startServer(portsWith(maildrop))
  for (let said = 0; said < COMMANDS; said += COMMANDS_A_SESSION) {
    const isLoggedIn = below(2) === 0
    await using client = isLoggedIn
      ? await WireClient.login(server.pop3sPort)
      : await WireClient.dialTls(server.pop3sPort)
    await converse(client, below)
  }
  assert.deepEqual(
    server.logged.filter(({ level }) => level === 'error'),
    [],
  )
  await using client = await WireClient.login(server.pop3sPort)
  assert.equal(await client.say('NOOP'), '+OK Still here')
})
