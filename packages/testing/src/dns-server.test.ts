// The test DNS server, asked by Node's own resolver: other tests rely on what it answers.
import assert from 'node:assert/strict'
import { Resolver } from 'node:dns/promises'
import { test } from 'node:test'
import { startDnsServer } from './dns-server.ts'

function ask(address: string, timeoutMs = 20_000): Resolver {
  const resolver = new Resolver({ timeout: timeoutMs, tries: 1 })
  resolver.setServers([address])
  return resolver
}

test('records of every type are served as they were set', async () => {
  await using server = await startDnsServer()
  const resolver = ask(server.address)
  const long = 'k'.repeat(600)
  server.set('example.test', 'A', ['192.0.2.1', '192.0.2.2'])
  server.set('example.test', 'MX', [{ exchange: 'mx.example.test', priority: 10 }])
  server.set('example.test', 'TXT', ['v=spf1 -all', long, ['one', 'two']])
  server.set('_25._tcp.mx.example.test', 'TLSA', [
    { usage: 3, selector: 1, matchingType: 1, data: Buffer.from('0102', 'hex') },
  ])
  assert.deepEqual(await resolver.resolve4('EXAMPLE.test', { ttl: true }), [
    { address: '192.0.2.1', ttl: 60 },
    { address: '192.0.2.2', ttl: 60 },
  ])
  assert.equal((await resolver.resolveMx('example.test'))[0]?.exchange, 'mx.example.test')
  assert.deepEqual(await resolver.resolveTxt('example.test'), [
    ['v=spf1 -all'],
    [long.slice(0, 255), long.slice(255, 510), long.slice(510)],
    ['one', 'two'],
  ])
  assert.equal((await resolver.resolveTlsa('_25._tcp.mx.example.test'))[0]?.certUsage, 3)
})

test('an unknown name is told from a known name without such data', async () => {
  await using server = await startDnsServer()
  const resolver = ask(server.address)
  server.set('deep.example.test', 'A', ['192.0.2.1'])
  await assert.rejects(resolver.resolve4('other.test'), { code: 'ENOTFOUND' })
  await assert.rejects(resolver.resolveTxt('deep.example.test'), { code: 'ENODATA' })
  await assert.rejects(resolver.resolve4('example.test'), { code: 'ENODATA' })
  server.delete('deep.example.test', 'A')
  await assert.rejects(resolver.resolve4('deep.example.test'), { code: 'ENOTFOUND' })
})

test('aliases are followed inside the zones and left to the client outside', async () => {
  await using server = await startDnsServer({ zones: { 'example.test': { negativeTtlSeconds: 5 } } })
  const resolver = ask(server.address)
  server.set('www.example.test', 'CNAME', ['host.example.test'])
  server.set('host.example.test', 'A', ['192.0.2.7'])
  server.set('away.example.test', 'CNAME', ['host.elsewhere.test'])
  assert.deepEqual(await resolver.resolve4('www.example.test'), ['192.0.2.7'])
  assert.deepEqual(await resolver.resolve4('away.example.test'), [])
  await assert.rejects(resolver.resolve4('host.elsewhere.test'), { code: 'EREFUSED' })
})

test('a fault lasts until it is healed, and every question is on record', async () => {
  await using server = await startDnsServer()
  const resolver = ask(server.address)
  server.set('example.test', 'A', ['192.0.2.1'])
  server.fail('example.test', 'SERVFAIL')
  await assert.rejects(resolver.resolve4('example.test'), { code: 'ESERVFAIL' })
  server.fail('example.test', 'timeout')
  await assert.rejects(ask(server.address, 300).resolve4('example.test'), { code: 'ETIMEOUT' })
  server.fail('example.test', 'truncate')
  assert.deepEqual(await resolver.resolve4('example.test'), ['192.0.2.1'])
  server.heal('example.test')
  assert.deepEqual(await resolver.resolve4('Example.test'), ['192.0.2.1'])
  assert.deepEqual(
    server.queries.slice(-3).map(({ via }) => via),
    ['udp', 'tcp', 'udp'],
  )
  assert.equal(server.countQueries('example.test', 'A'), server.queries.length)
})
