// Whatever is said to it, in whatever pieces, the server answers, ends the session in time, and stays well. Seeded: a
// failure can be repeated with FUZZ_SEED. The nightly form is FUZZ_COMMANDS=1000000.
import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { commandFrom, type Numbers, numbersFrom } from './testing/command-generator.ts'
import { maildropOf, portsWith, type ServerUnderTest, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const SEED = Number(process.env.FUZZ_SEED ?? 1939)
const COMMANDS = Number(process.env.FUZZ_COMMANDS ?? 50_000)
const COMMANDS_A_SESSION = 60
const SESSIONS_AT_ONCE = 8
/** A session that takes longer hangs. */
const SESSION_MS = 60_000
const MEMORY_GROWTH_MAX_BYTES = 200_000_000

const STATUS = /^(\+OK|-ERR|\+ )/
const LEAK = /node:|\.ts\b|\/src\/|Error:|undefined|\[object|NaN|secret/

/** Sends all of it in pieces and reads to the end of the connection. */
async function converse(socket: Socket, octets: Buffer, below: Numbers): Promise<string> {
  const heard: Buffer[] = []
  socket.on('data', (part: Buffer) => heard.push(part)).on('error', () => socket.destroy())
  const timer = setTimeout(() => socket.destroy(), SESSION_MS)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  for (let from = 0; from < octets.length; ) {
    const to = from + 1 + below(below(4) === 0 ? 10 : 2_000)
    socket.write(octets.subarray(from, to))
    from = to
    if (below(4) === 0) await new Promise((resolve) => setImmediate(resolve))
  }
  if (below(20) === 0) socket.destroy()
  else socket.end()
  await closed
  clearTimeout(timer)
  return Buffer.concat(heard).toString('latin1')
}

async function session(server: ServerUnderTest, below: Numbers): Promise<void> {
  const octets = Buffer.concat(Array.from({ length: COMMANDS_A_SESSION }, () => commandFrom(below)))
  const isTls = below(50) === 0
  const { pop3Port, pop3sPort } = server
  const socket = isTls
    ? connectTls({ port: pop3sPort, host: '127.0.0.1', rejectUnauthorized: false })
    : connect({ port: pop3Port, host: '127.0.0.1', noDelay: true })
  const start = performance.now()
  const replies = (await converse(socket, octets, below)).split('\r\n')
  const said = JSON.stringify(octets.toString('latin1'))
  assert.ok(performance.now() - start < SESSION_MS, `hangs after ${said}`)
  if (replies[0] !== '') assert.match(replies[0]!, STATUS)
  const leak = replies.find((line) => LEAK.test(line))
  assert.equal(leak, undefined, `leaks after ${said}`)
}

test(`${COMMANDS} commands from seed ${SEED}, before and after login`, { timeout: 3_600_000 }, async () => {
  const texts = ['Subject: 1\r\n\r\n.\r\n', 'Subject: 2\r\n\r\nno end', '', `a: b\r\n\r\n${'.line\r\n'.repeat(100)}`]
  await using server = await startServer(portsWith(maildropOf(texts)), { allowsPlaintextAuth: true })
  const before = process.memoryUsage().rss
  let sessions = 0
  const worker = async (index: number) => {
    const below = numbersFrom(SEED + index)
    for (; sessions * COMMANDS_A_SESSION < COMMANDS; sessions++) await session(server, below)
  }
  await Promise.all(Array.from({ length: SESSIONS_AT_ONCE }, (_, index) => worker(index)))
  assert.deepEqual(
    server.logged.filter(({ level }) => level === 'error'),
    [],
  )
  const outcomes = new Set(server.logged.map(({ facts }) => (facts as { outcome: string }).outcome))
  assert.ok(outcomes.has('gone') && outcomes.has('not logged in'), [...outcomes].join())
  server.logged.length = 0
  assert.ok(process.memoryUsage().rss - before < MEMORY_GROWTH_MAX_BYTES, 'memory grows')
  await using client = await WireClient.login(server.pop3sPort)
  assert.equal(await client.say('NOOP'), '+OK Still here')
})
