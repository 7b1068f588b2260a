// Who may open a session: refused ones are told why, and all replicas count together.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { after, before, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import type { Ports } from './ports.ts'
import { startGateway } from './testing/gateway-process.ts'
import { maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

/** A door that notes who comes and goes, and is shut to an address. */
function doorShutTo(shut: string) {
  const inside = new Map<string, string>()
  const admission: Ports['admission'] = {
    admit(id, clientAddress) {
      if (clientAddress === shut) return 'Not from there'
      inside.set(id, clientAddress)
      return undefined
    },
    leave: (id) => void inside.delete(id),
  }
  return { inside, ports: { ...portsWith(maildropOf([])), admission } }
}

test('who is not admitted is told why on 110, and gets no handshake on 995', async () => {
  await using server = await startServer(doorShutTo('127.0.0.1').ports)
  await using client = new WireClient(connect(server.pop3Port, '127.0.0.1'))
  assert.equal(await client.rest(), '-ERR [SYS/TEMP] Not from there\r\n')
  await using mute = new WireClient(connect(server.pop3sPort, '127.0.0.1'))
  assert.equal(await mute.rest(), '')
  assert.deepEqual(server.logged, [])
})

test('behind a balancer it is the client who is admitted, and who leaves when the session ends', async () => {
  const { inside, ports } = doorShutTo('192.0.2.7')
  await using server = await startServer(ports, { isBalancer: () => true })
  await using refused = new WireClient(connect(server.pop3Port, '127.0.0.1'))
  refused.send('PROXY TCP4 192.0.2.7 127.0.0.1 4711 110\r\n')
  assert.match(await refused.rest(), /^-ERR \[SYS\/TEMP\] Not from there/)
  await using client = new WireClient(connect(server.pop3Port, '127.0.0.1'))
  client.send('PROXY TCP4 192.0.2.8 127.0.0.1 4711 110\r\n')
  assert.match(await client.line(), /^\+OK/)
  assert.deepEqual([...inside.values()], ['192.0.2.8'])
  await client.say('QUIT')
  await eventually(() => inside.size === 0)
})

test('the sessions of an address at all replicas count together, and one that ends makes room', async () => {
  const settings = { MAX_SESSIONS_PER_ADDRESS: '4' }
  await using one = await startGateway(stack.url, { settings })
  await using other = await startGateway(stack.url, { settings })
  const held = [await WireClient.dial(one.pop3Port), await WireClient.dial(one.pop3Port)]
  await using _first = await WireClient.dial(other.pop3Port)
  const greeting = async () => {
    await using client = new WireClient(connect(other.pop3Port, '127.0.0.1'))
    return await client.line()
  }
  await using _second = await WireClient.dial(other.pop3Port)
  await eventually(async () => /^-ERR \[SYS\/TEMP\] Too many sessions from your address/.test(await greeting()))
  for (const client of held) client.socket.destroy()
  await eventually(async () => (await greeting()).startsWith('+OK'))
})

test('connections of a minute are limited', async () => {
  await using gateway = await startGateway(stack.url, { settings: { CONNECTIONS_PER_MINUTE_PER_ADDRESS: '5' } })
  const refusal = await eventually(async () => {
    await using client = new WireClient(connect(gateway.pop3Port, '127.0.0.1'))
    const line = await client.line()
    return line.startsWith('-ERR') && line
  })
  assert.equal(refusal, '-ERR [SYS/TEMP] Too many connections from your address, the limit is 5 a minute')
})
