import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { test } from 'node:test'
import { bindFault, findFreePort } from './free-port.ts'
import { checkPorts } from './listener-ports.ts'
import { StartFailure } from './start-failure.ts'

async function occupyPort(): Promise<AsyncDisposable & { port: number }> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as AddressInfo).port, [Symbol.asyncDispose]: async () => void server.close() }
}

test('a port that somebody listens on is told from a free one', async () => {
  await using occupied = await occupyPort()
  assert.equal(await bindFault('127.0.0.1', occupied.port), 'EADDRINUSE')
  assert.equal(await bindFault('127.0.0.1', await findFreePort()), undefined)
})

test('a port in use is reported with its setting and number before anything starts', async () => {
  await using occupied = await occupyPort()
  const ports = [
    { setting: 'MX_PORT', port: await findFreePort() },
    { setting: 'POP3_PORT', port: occupied.port },
  ]
  await assert.rejects(checkPorts('127.0.0.1', ports), (error) => {
    assert.ok(error instanceof StartFailure)
    assert.match(error.message, new RegExp(`Port ${occupied.port} .*POP3_PORT.* in use`))
    assert.doesNotMatch(error.message, /\(MX_PORT\)/)
    assert.match(error.japanese, /POP3_PORT/)
    return true
  })
})

test('two settings with the same port are both named', async () => {
  const port = await findFreePort()
  const ports = [
    { setting: 'MX_PORT', port },
    { setting: 'SMTPS_PORT', port },
  ]
  await assert.rejects(checkPorts('127.0.0.1', ports), /MX_PORT and SMTPS_PORT are both/)
})

test('an address that is not this machine’s is reported', async () => {
  const ports = [{ setting: 'MX_PORT', port: await findFreePort() }]
  await assert.rejects(checkPorts('192.0.2.1', ports), /MX_PORT.*EADDRNOTAVAIL.*BIND_ADDRESS/)
})
