// The port under a drain: requests in hand are answered, stalled ones are cut.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { type HttpListener, listenHttp } from './http-listener.ts'
import { adminApiKey, openApi } from './testing/api-under-test.ts'

const body = JSON.stringify({ name: 'example.test' })

/** Sends a POST but for the last octet of its body, and waits until the server has begun with it. */
async function beginRequest(listener: HttpListener): Promise<Socket> {
  const socket = connect(listener.port, '127.0.0.1')
  await once(socket, 'connect')
  const head = [
    'POST /v1/domains HTTP/1.1',
    'Host: api',
    `Authorization: Bearer ${adminApiKey}`,
    'Expect: 100-continue',
  ]
  const entity = ['Content-Type: application/json', `Content-Length: ${body.length}`]
  socket.write(`${[...head, ...entity].join('\r\n')}\r\n\r\n`)
  const [interim] = await once(socket, 'data')
  assert.match(String(interim), /^HTTP\/1\.1 100 /)
  socket.write(body.slice(0, -1))
  return socket
}

test('a request in hand is answered before the port closes, and its connection is not kept', async () => {
  await using api = await openApi()
  const listener = await listenHttp(api.app, { host: '127.0.0.1', port: 0, drainTimeoutMs: 300_000 })
  const socket = await beginRequest(listener)
  const start = performance.now()
  const closed = listener[Symbol.asyncDispose]()
  await untilRefused(listener.port)
  socket.write(body.slice(-1))
  assert.match(await text(socket), /^HTTP\/1\.1 201 /)
  await closed
  assert.ok(performance.now() - start < 100_000, 'the answered connection was kept open')
})

test('a request that comes on an open connection while the port closes is answered too', async () => {
  await using api = await openApi()
  const listener = await listenHttp(api.app, { host: '127.0.0.1', port: 0, drainTimeoutMs: 300_000 })
  const socket = await beginRequest(listener)
  const closed = listener[Symbol.asyncDispose]()
  await untilRefused(listener.port)
  const next = ['GET /v1/domains HTTP/1.1', 'Host: api', `Authorization: Bearer ${adminApiKey}`]
  socket.write(`${body.slice(-1)}${next.join('\r\n')}\r\n\r\n`)
  const statuses = (await text(socket)).match(/HTTP\/1\.1 \d+/g)
  assert.deepEqual(statuses, ['HTTP/1.1 201', 'HTTP/1.1 200'])
  await closed
})

test('a request that never ends does not hold the process up', async () => {
  await using api = await openApi()
  const listener = await listenHttp(api.app, { host: '127.0.0.1', port: 0, drainTimeoutMs: 50 })
  const socket = await beginRequest(listener)
  const start = performance.now()
  await Promise.all([
    listener[Symbol.asyncDispose](),
    once(
      socket.on('error', () => {}),
      'close',
    ),
  ])
  assert.ok(performance.now() - start < 100_000)
})

/** Waits until nobody takes new connections any more. */
async function untilRefused(port: number): Promise<void> {
  await eventually(async () => {
    const probe = connect(port, '127.0.0.1')
    const error = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      probe.once('error', resolve).once('connect', () => resolve(undefined))
    })
    probe.destroy()
    return error?.code === 'ECONNREFUSED'
  })
}
