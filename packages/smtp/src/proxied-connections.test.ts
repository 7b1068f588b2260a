// Sessions behind a load balancer, over real sockets: whose address counts, and who may say so.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { createLog } from '@sekimori/runtime/log'
import { eventually } from '@sekimori/testing/eventually'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import type { SMTPServerOptions } from 'smtp-server'
import { listenSmtp } from './listener.ts'
import { parseProxyNetworks } from './proxy-networks.ts'
import { clientAddressOf } from './session-facts.ts'

const certificate = await makeTestCertificate('localhost')
const VERSION_2 = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1'),
  Buffer.from([0x21, 0x11, 0, 12, 192, 0, 2, 8, 127, 0, 0, 1, 0x30, 0x39, 0, 25]),
])
const LOCAL = Buffer.concat([VERSION_2.subarray(0, 12), Buffer.from([0x20, 0, 0, 0])])
const VERSION_1 = Buffer.from('PROXY TCP4 192.0.2.7 127.0.0.1 4711 25\r\n')

/** A listener that notes the client's address of each MAIL FROM. */
async function listen(proxyNetworks: string, smtp: SMTPServerOptions = {}) {
  const clients: string[] = []
  const decisions = {
    mailFrom: async (_address: unknown, session: Parameters<typeof clientAddressOf>[0]) =>
      void clients.push(clientAddressOf(session)),
    recipient: async () => {},
    data: async () => 'id',
  }
  const options = { authOptional: true, disabledCommands: ['AUTH'], ...certificate, ...smtp }
  const where = { host: '127.0.0.1', port: 0, drainTimeoutMs: 1_000, proxyNetworks }
  const listener = await listenSmtp({ ...where, smtp: options }, decisions, createLog('test', 'silent'))
  return { listener, clients, [Symbol.asyncDispose]: () => listener[Symbol.asyncDispose]() }
}

const TRANSACTION = ['EHLO client.test', 'MAIL FROM:<a@b.test>', 'QUIT']

/** Says one line after each reply; resolves to all that the server says until it hangs up, or resets. */
async function converse(socket: Socket, lines: string[]): Promise<string> {
  let text = ''
  let said = 0
  socket.on('error', () => {})
  socket.on('data', (chunk) => {
    text += chunk
    const replies = text.match(/^\d{3} .*\r\n/gm)?.length ?? 0
    for (; said < Math.min(replies, lines.length); said++) socket.write(`${lines[said]}\r\n`)
  })
  await once(socket, 'close')
  return text
}

/** A session that begins with these parts. */
async function talk(port: number, header: Buffer[], lines = TRANSACTION): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const answer = converse(socket, lines)
  for (const part of header) {
    socket.write(part)
    await new Promise((resolve) => setImmediate(resolve))
  }
  return answer
}

test('behind a load balancer the client is the one that its header names, in either version', async () => {
  await using edge = await listen('10.0.0.0/8, 127.0.0.0/8')
  for (const header of [VERSION_1, VERSION_2, LOCAL]) await talk(edge.listener.port, [header])
  await talk(
    edge.listener.port,
    Array.from(VERSION_1, (octet) => Buffer.from([octet])),
  )
  assert.deepEqual(edge.clients, ['192.0.2.7', '192.0.2.8', '127.0.0.1', '192.0.2.7'])
})

test('a load balancer that names no client gets no session', async () => {
  await using edge = await listen('127.0.0.1')
  for (const header of ['EHLO client.test\r\n', 'PROXY TCP4 nonsense\r\n', 'x'])
    assert.equal(await talk(edge.listener.port, [Buffer.from(header)]), '')
  assert.deepEqual(edge.clients, [])
})

test('nobody else names a client: from other networks the header is no command', async () => {
  for (const networks of ['', '10.0.0.0/8,::1/128,127.0.0.2']) {
    await using edge = await listen(networks)
    const answer = await talk(edge.listener.port, [], [VERSION_1.toString().trim(), ...TRANSACTION])
    assert.match(answer, /^220 .*\r\n5\d\d /s)
    assert.deepEqual(edge.clients, ['127.0.0.1'])
  }
})

test('the header comes before TLS where TLS comes first, in one piece with it or not', async () => {
  await using edge = await listen('127.0.0.1', { secure: true })
  for (const isOnePiece of [true, false]) {
    const socket = connect({ port: edge.listener.port, host: '127.0.0.1', noDelay: true })
    await once(socket, 'connect')
    if (isOnePiece) socket.cork()
    socket.write(VERSION_2)
    const encrypted = connectTls({ socket, ca: certificate.cert, servername: 'localhost' })
    const answer = converse(encrypted, TRANSACTION)
    if (isOnePiece) setImmediate(() => socket.uncork())
    assert.match(await answer, /^220 /)
  }
  assert.deepEqual(edge.clients, ['192.0.2.8', '192.0.2.8'])
})

test('a connection that ends before its header leaves nothing behind', async () => {
  await using edge = await listen('127.0.0.1', { maxClients: 2 })
  for (let n = 0; n < 5; n++) {
    const socket = connect(edge.listener.port, '127.0.0.1')
    socket.on('error', () => {})
    await once(socket, 'connect')
    await new Promise((resolve) => socket.write('PROXY ', resolve))
    socket.resetAndDestroy()
  }
  await eventually(async () => (await talk(edge.listener.port, [VERSION_1])).startsWith('220 '))
})

test('networks are read in every usual form, and what is none is quoted', () => {
  const isBalancer = parseProxyNetworks(' 10.0.0.0/8,192.0.2.1 , fd00::/8')
  for (const peer of ['10.1.2.3', '::ffff:10.1.2.3', '192.0.2.1', 'fd12::1']) assert.ok(isBalancer(peer), peer)
  for (const peer of ['11.0.0.1', '192.0.2.2', 'fe80::1', '', undefined])
    assert.equal(isBalancer(peer), false, String(peer))
  assert.equal(parseProxyNetworks('')('127.0.0.1'), false)
  for (const text of ['10.0.0.0/33', 'balancer.test', '10.0.0.0/8/8', 'fd00::/129', '10.0.0/8', '10.0.0.0/'])
    assert.throws(
      () => parseProxyNetworks(text),
      (error: Error) => error.message.includes(`"${text}"`),
    )
})
