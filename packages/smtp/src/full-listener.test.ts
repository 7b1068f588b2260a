// A listener whose places are all taken: whoever holds one for nothing makes room, and nobody else does.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { connect } from '@sekimori/testing/line-socket'
import { dialSmtp, type SmtpDialOptions } from '@sekimori/testing/smtp-dialer'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import { linesUntilEnd, type TestListenerOptions, testListener } from './testing/test-listener.ts'

/** Long enough for nobody to be idle in a test. */
const NEVER_MS = 3_600_000
const certificate = await makeTestCertificate('localhost')

async function full(maxClients: number, shedAfterMs: number, changes: TestListenerOptions = {}) {
  const { smtp, limits, ...others } = changes
  const listener = await testListener({
    ...others,
    smtp: { maxClients, ...smtp },
    limits: { shedAfterMs, ...limits },
  })
  const dial = async (lastOctet: number, options: SmtpDialOptions = {}) => {
    const client = await dialSmtp(listener.endpoint, { localAddress: `127.0.0.${lastOctet}`, ...options })
    if (client.greeting.code === 220) await client.say('EHLO client.test', 250)
    return client
  }
  return { listener, dial, [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose]() }
}

/** A connection whose client never begins its handshake; `ended` says whether the server has given it up. */
async function stuck(port: number, lastOctet: number, header = ''): Promise<{ socket: Socket; ended: () => boolean }> {
  const socket = connectTcp({ port, host: '127.0.0.1', localAddress: `127.0.0.${lastOctet}` })
  await once(socket, 'connect')
  socket.on('error', () => {}).resume()
  if (header !== '') await new Promise((resolve) => socket.write(header, resolve))
  return { socket, ended: () => socket.closed }
}

test('the network that holds most places without use gives up the one that it has held longest: 421 4.4.5', async () => {
  await using edge = await full(4, 0)
  await using first = await edge.dial(2)
  await using other = await edge.dial(3)
  await using second = await edge.dial(2)
  await using third = await edge.dial(2)
  await first.say('NOOP', 250)
  await third.say('NOOP', 250)
  await using newcomer = await edge.dial(4)
  assert.equal((await second.hear(421)).enhanced, '4.4.5')
  await second.closed()
  for (const client of [first, other, third, newcomer]) await client.say('NOOP', 250)
})

test('who was busy a moment ago keeps the place, and the newcomer hears 421', async () => {
  await using edge = await full(2, NEVER_MS)
  await using first = await edge.dial(2)
  await using second = await edge.dial(2)
  await using newcomer = await edge.dial(3, { greeting: 421 })
  await newcomer.closed()
  for (const client of [first, second]) await client.say('NOOP', 250)
})

test('who has logged in, waits for us or sends a mail as fast as it should keeps the place', async () => {
  const decided = Promise.withResolvers<void>()
  const asked = Promise.withResolvers<void>()
  const recipient = async ({ address }: { address: string }) => {
    if (address !== 'slow@d.test') return
    asked.resolve()
    await decided.promise
  }
  await using edge = await full(3, 0, { decisions: { recipient }, limits: { dataMinBytesPerSecond: 1 } })
  await using sending = await edge.dial(2)
  await sending.raw('MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n')
  for (const code of [250, 250, 354]) await sending.hear(code)
  await sending.raw(`A: 1\r\n\r\n${'x'.repeat(70)}\r\n`.repeat(1_000))
  await using waiting = await edge.dial(2)
  await waiting.raw('MAIL FROM:<a@b.test>\r\nRCPT TO:<slow@d.test>\r\n')
  await waiting.hear(250)
  await using known = await edge.dial(2)
  await known.authPlain('alice@b.test', 'right')
  await asked.promise
  await eventually(async () => {
    await using newcomer = await dialSmtp(edge.listener.endpoint, { greeting: 421 })
    await newcomer.closed()
    return true
  })
  decided.resolve()
  await waiting.hear(250)
  await known.say('NOOP', 250)
  await sending.sendMessage('end\r\n', 250)
})

test('a mail that comes too slowly gives way, in the middle', async () => {
  await using edge = await full(1, 0, { limits: { dataMinBytesPerSecond: 1_000_000_000 } })
  await using slow = await edge.dial(2)
  await slow.raw('MAIL FROM:<a@b.test>\r\nRCPT TO:<c@d.test>\r\nDATA\r\n')
  for (const code of [250, 250, 354]) await slow.hear(code)
  await slow.raw('A: 1\r\n\r\nx')
  await eventually(async () => {
    const newcomer = await dialSmtp(edge.listener.endpoint).catch(() => undefined)
    await newcomer?.[Symbol.asyncDispose]()
    return newcomer !== undefined
  })
  assert.equal((await slow.hear(421)).enhanced, '4.4.5')
  assert.deepEqual(edge.listener.mails, [])
})

test('handshakes that never end make room, those of the busiest network first', async () => {
  await using edge = await full(3, NEVER_MS, { certificate, smtp: { secure: true } })
  const { port } = edge.listener.endpoint
  const [one, mine, two] = [await stuck(port, 2), await stuck(port, 3), await stuck(port, 2)]
  await using client = await edge.dial(4, { tls: 'implicit', ca: certificate.cert, servername: 'localhost' })
  await eventually(one.ended)
  assert.deepEqual([mine.ended(), two.ended()], [false, false])
  await client.say('NOOP', 250)
  for (const { socket } of [mine, two]) socket.destroy()
})

test('behind a load balancer, the networks are those of the clients', async () => {
  await using edge = await full(4, NEVER_MS, { certificate, smtp: { secure: true }, proxyNetworks: '127.0.0.1' })
  const { port } = edge.listener.endpoint
  const header = (source: string) => `PROXY TCP4 ${source} 192.0.2.1 1 465\r\n`
  const tls = { tls: 'implicit', ca: certificate.cert, servername: 'localhost' } as const
  const arrive = () => edge.dial(1, { ...tls, proxyHeader: header('192.0.2.9') })
  const mine = await stuck(port, 1, header('203.0.113.1'))
  const others = [await stuck(port, 1, header('198.51.100.1')), await stuck(port, 1, header('198.51.100.1'))]
  // Once a whole session has come about, the headers that were there before it have been read.
  await using _before = await arrive()
  others.push(await stuck(port, 1, header('198.51.100.1')))
  await using client = await arrive()
  await eventually(others[0]!.ended)
  assert.deepEqual(
    [mine, others[1]!].map((held) => held.ended()),
    [false, false],
  )
  await client.say('NOOP', 250)
  for (const { socket } of [mine, ...others]) socket.destroy()
})

test('a handshake behind STARTTLS that does not go on gives way too', async () => {
  await using edge = await full(1, 0, { certificate, smtp: { disabledCommands: [] } })
  const socket = await connect(edge.listener.endpoint)
  await socket.readLine()
  await socket.write('STARTTLS\r\n')
  assert.match(await socket.readLine(), /^220 /)
  await eventually(async () => {
    const newcomer = await edge.dial(2).catch(() => undefined)
    await newcomer?.[Symbol.asyncDispose]()
    return newcomer !== undefined
  })
  assert.deepEqual(await linesUntilEnd(socket), [])
})

test('of a flood no handshake is begun: the connection is closed without a word, those of others go on', async () => {
  const asked: string[] = []
  const isFlood = (address: string) => {
    asked.push(address)
    return address.endsWith('.2')
  }
  await using edge = await full(3, NEVER_MS, { certificate, smtp: { secure: true }, decisions: { isFlood } })
  const flooding = await stuck(edge.listener.endpoint.port, 2)
  await eventually(flooding.ended)
  await using client = await edge.dial(3, { tls: 'implicit', ca: certificate.cert, servername: 'localhost' })
  await client.say('NOOP', 250)
  assert.deepEqual(asked, ['127.0.0.2', '127.0.0.3'])
})
