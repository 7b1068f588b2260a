// The listening connection behind a proxy: it notices that it is dead, leaks nothing, and comes back.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { type CuttableProxy, openCuttableProxy } from '@sekimori/testing/cuttable-proxy'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { Watcher } from './watcher.ts'

const TIMES = { retryMs: 20, probeMs: 50, answerMs: 200 }
let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

async function watchThrough(proxy: CuttableProxy, service = serviceStandIn(), times = TIMES) {
  const connectionString = Object.assign(new URL(stack.url), { port: proxy.port }).href
  const config = { connectionString, connectionTimeoutMillis: 200 }
  return new Watcher(config, 'postgres', service.dependencies, service.log, times)
}

test('news of a change arrives, and so does the word that news may have been missed', async () => {
  await using proxy = await openCuttableProxy(stack.url)
  // A probe that is answered late would be news, too.
  await using watcher = await watchThrough(proxy, serviceStandIn(), { ...TIMES, probeMs: 600_000 })
  let changes = 0
  watcher.onChange(() => changes++)
  await watcher.connectFirst(new AbortController().signal, async () => {})
  assert.equal(changes, 1)
  await stack.database.query("insert into domain (name) values ('one.test')")
  await eventually(() => changes === 2)
  proxy.cut()
  await eventually(() => changes >= 4 && watcher.isListening)
})

test('a connection that died without a sign does not go on looking as if it listened', async () => {
  await using proxy = await openCuttableProxy(stack.url)
  const service = serviceStandIn()
  await using watcher = await watchThrough(proxy, service)
  await watcher.connectFirst(new AbortController().signal, async () => {})
  proxy.pause('down')
  await eventually(() => !watcher.isListening)
  assert.ok(service.dependencies.away().postgres)
  proxy.resume('down')
  await eventually(() => watcher.isListening && Object.keys(service.dependencies.away()).length === 0)
})

test('a silent connection is replaced when Postgres itself answers others', async () => {
  await using silent = await openCuttableProxy(stack.url)
  const service = serviceStandIn()
  await using watcher = await watchThrough(silent, service, { ...TIMES, probeMs: 60_000 })
  await watcher.connectFirst(new AbortController().signal, async () => {})
  silent.freeze()
  watcher.suspect(new Error('somebody had trouble'))
  await eventually(() => watcher.isListening && Object.keys(service.dependencies.away()).length === 0)
})

test('tries to connect that fail leave no connections behind', async () => {
  let open = 0
  // A Postgres that lets everybody in and answers no statement.
  const server = createServer((socket) => {
    open++
    socket.on('close', () => open--)
    socket.once('data', () => socket.write(Buffer.from('520000000800000000' + '5a0000000549', 'hex')))
    socket.on('error', () => {}) // the client goes away as it likes
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const { log, dependencies } = serviceStandIn()
  const config = { connectionString: `postgres://x:x@127.0.0.1:${port}/x` }
  await using watcher = new Watcher(config, 'postgres', dependencies, log, { ...TIMES, answerMs: 30 })
  const stop = new AbortController()
  let tries = 0
  const prepare = async () => {
    if (++tries === 5) stop.abort()
  }
  assert.equal(await watcher.connectFirst(stop.signal, prepare), false)
  assert.match(dependencies.away().postgres ?? '', /Query read timeout/)
  await eventually(() => open === 0)
  server.close()
})
