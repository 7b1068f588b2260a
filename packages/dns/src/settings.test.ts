import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '@sekimori/config/config'
import Type from 'typebox'
import { parseServerAddress } from './server-address.ts'
import { dnsSettings, parseDnsServers } from './settings.ts'

const schema = Type.Object(dnsSettings)

test('servers are given in any of the usual forms', () => {
  const forms: [string, string, number][] = [
    ['192.0.2.1', '192.0.2.1', 53],
    ['192.0.2.1:5353', '192.0.2.1', 5353],
    ['[2001:db8::1]:5353', '2001:db8::1', 5353],
    ['[2001:db8::1]', '2001:db8::1', 53],
    ['2001:db8::1', '2001:db8::1', 53],
    ['dns.internal:1053', 'dns.internal', 1053],
  ]
  for (const [text, host, port] of forms) assert.deepEqual(parseServerAddress(text), { host, port })
})

test('no servers means an empty list, several are split at commas', () => {
  assert.deepEqual(parseDnsServers(readConfig(schema, {}).DNS_SERVERS), [])
  assert.deepEqual(parseDnsServers(readConfig(schema, { DNS_SERVERS: '::1, 192.0.2.1:53' }).DNS_SERVERS), [
    '::1',
    '192.0.2.1:53',
  ])
})

test('a server that can not be read is quoted in the fault', () => {
  for (const text of ['192.0.2.1:', '192.0.2.1:0', '192.0.2.1:65536', '[192.0.2.1]:53', 'a b', '[::1']) {
    assert.throws(
      () => readConfig(schema, { DNS_SERVERS: `192.0.2.9,${text}` }),
      (error: Error) => error.message.includes(`DNS_SERVERS: "${text}" is no DNS server: give host, host:port`),
    )
  }
  assert.throws(() => readConfig(schema, { DNS_SERVERS: '192.0.2.9,,192.0.2.8' }), /"" is no DNS server/)
})
