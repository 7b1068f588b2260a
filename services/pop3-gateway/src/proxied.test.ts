// Connections through a load balancer: whose they are is said by its PROXY header, and believed from nobody else.
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { Ports } from './ports.ts'
import { maildropOf, portsWith, startServer } from './testing/server-under-test.ts'
import { WireClient } from './testing/wire-client.ts'

const HEADER = 'PROXY TCP4 192.0.2.7 127.0.0.1 4711 110\r\n'
const VERSION_2 = Buffer.concat([
  Buffer.from('\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c', 'latin1'),
  Buffer.from([198, 51, 100, 9, 127, 0, 0, 1, 0x12, 0x34, 0, 110]),
])

/** A world in which logins note from where they came. */
function noting() {
  const seen: string[] = []
  const ports: Ports = {
    ...portsWith(maildropOf([])),
    login: async (_address, _password, clientAddress) => {
      seen.push(clientAddress)
      return { kind: 'refused' }
    },
  }
  return { seen, ports }
}

test('the address in the header of a balancer is that of the client, in both versions and before TLS too', async () => {
  const { seen, ports } = noting()
  await using server = await startServer(ports, { isBalancer: () => true, allowsPlaintextAuth: true })
  for (const header of [HEADER, VERSION_2]) {
    await using client = new WireClient(connect(server.pop3Port, '127.0.0.1'))
    client.send(header)
    assert.match(await client.line(), /^\+OK/)
    await client.say('USER x')
    await client.say('PASS x')
  }
  const transport = connect(server.pop3sPort, '127.0.0.1')
  transport.write(HEADER)
  await using client = new WireClient(connectTls({ socket: transport, rejectUnauthorized: false }), transport)
  assert.match(await client.line(), /^\+OK/)
  await client.say('USER x')
  await client.say('PASS x')
  assert.deepEqual(seen, ['192.0.2.7', '198.51.100.9', '192.0.2.7'])
})

test('a balancer without a header is cut off, and a header from others is just a bad command', async () => {
  const { seen, ports } = noting()
  await using behind = await startServer(ports, { isBalancer: () => true })
  await using mute = new WireClient(connect(behind.pop3Port, '127.0.0.1'))
  mute.send('CAPA\r\n')
  assert.equal(await mute.rest(), '')
  await using server = await startServer(ports, { allowsPlaintextAuth: true })
  await using client = await WireClient.dial(server.pop3Port)
  assert.match(await client.say(HEADER.trim()), /^-ERR /)
  await client.say('USER x')
  await client.say('PASS x')
  assert.deepEqual(seen, ['127.0.0.1'])
})
