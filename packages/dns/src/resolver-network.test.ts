// What the resolver makes of servers that cut answers short, fail or stay silent.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { serveDns } from '@sekimori/testing/dns-server-socket'
import { eventually } from '@sekimori/testing/eventually'
import { type Answer, decode, type Packet } from 'dns-packet'
import { createResolver } from './resolver.ts'
import { answerWith } from './test-answer.ts'

const SILENCE = 'silence.test'

test('an answer that no datagram holds is fetched over TCP', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  const long = 'k'.repeat(2000)
  server.set('big.test', 'TXT', [long])
  server.set('cut.test', 'A', ['192.0.2.1'])
  server.fail('cut.test', 'truncate')
  assert.equal((await resolver.resolve('big.test', 'TXT'))[0]?.join(''), long)
  assert.deepEqual(await resolver.resolve('cut.test', 'A'), ['192.0.2.1'])
  assert.deepEqual(
    server.queries.map(({ via }) => via),
    ['udp', 'tcp', 'udp', 'tcp'],
  )
})

test('answers up to 1232 bytes come in one datagram', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  server.set('key.test', 'TXT', ['k'.repeat(1100)])
  await resolver.resolve('key.test', 'TXT')
  assert.deepEqual(server.queries, [{ name: 'key.test', type: 'TXT', via: 'udp' }])
})

test('a server that is away or silent is passed over, and then no longer asked first', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] })
  await using first = await startDnsServer()
  await using second = await startDnsServer()
  await using resolver = createResolver({ servers: [first.address, second.address], timeoutMs: 100 })
  first.fail(SILENCE, 'timeout')
  second.set(SILENCE, 'A', ['192.0.2.1'])
  second.set('next.test', 'A', ['192.0.2.2'])
  const asked = resolver.resolve(SILENCE, 'A')
  await eventually(() => first.countQueries(SILENCE) === 1)
  context.mock.timers.tick(100)
  assert.deepEqual(await asked, ['192.0.2.1'])
  assert.deepEqual(await resolver.resolve('next.test', 'A'), ['192.0.2.2'])
  assert.deepEqual(resolver.counters, { queries: 3, hits: 0, answers: 2, timeouts: 1 })
  assert.equal(first.countQueries('next.test'), 0)
})

test('the tries are bounded, and silence ends in ETIMEOUT', async () => {
  await using first = await startDnsServer()
  await using second = await startDnsServer()
  await using resolver = createResolver({ servers: [first.address, second.address], timeoutMs: 50, attempts: 3 })
  first.fail(SILENCE, 'timeout')
  second.fail(SILENCE, 'timeout')
  await assert.rejects(resolver.resolve(SILENCE, 'A'), { code: 'ETIMEOUT' })
  await eventually(() => first.countQueries(SILENCE) + second.countQueries(SILENCE) === 6)
  assert.equal(resolver.counters.timeouts, 6)
})

test('no server at the address, and an unknown server name, never read as "no such domain"', async () => {
  const server = await startDnsServer()
  await server[Symbol.asyncDispose]()
  for (const address of [server.address, 'no-such-server.invalid']) {
    await using resolver = createResolver({ servers: [address], timeoutMs: 1000 })
    await assert.rejects(resolver.resolve('example.test', 'A'), { code: 'ECONNREFUSED' })
  }
})

test('a chain that one server leaves open is followed at the next', async () => {
  await using first = await startDnsServer({ zones: { 'one.test': { negativeTtlSeconds: 0 } } })
  await using second = await startDnsServer({ zones: { 'two.test': { negativeTtlSeconds: 0 } } })
  await using resolver = createResolver({ servers: [first.address, second.address] })
  first.set('www.one.test', 'CNAME', ['www.two.test'])
  second.set('www.two.test', 'A', ['192.0.2.1'])
  first.set('www2.one.test', 'CNAME', ['gone.two.test'])
  assert.deepEqual(await resolver.resolve('www.one.test', 'A'), ['192.0.2.1'])
  await assert.rejects(resolver.resolve('www2.one.test', 'A'), { code: 'ENOTFOUND', hostname: 'www2.one.test' })
})

test('a server that knows no EDNS is asked once more without', async () => {
  const unsupported = { type: 'OPT' as const, name: '.', extendedRcode: 1, udpPayloadSize: 512 }
  const badVersion: Answer = { ...unsupported, ednsVersion: 0, flags: 0, flag_do: false, options: [] }
  const refusals: Partial<Packet>[] = [
    { flags: 1, questions: [], answers: [] },
    { flags: 4, answers: [] },
    { answers: [], additionals: [badVersion] },
  ]
  for (const refusal of refusals) {
    await using server = await serveDns((query) =>
      decode(query).additionals?.length === 0 ? [answerWith(query, '192.0.2.1')] : [answerWith(query, '', refusal)],
    )
    await using resolver = createResolver({ servers: [server.address] })
    assert.deepEqual(await resolver.resolve('example.test', 'A'), ['192.0.2.1'])
  }
})

test('a referral is a failure, not an absence of records', async () => {
  await using server = await serveDns((query) => {
    const authorities = [{ type: 'NS' as const, name: 'test', ttl: 60, data: 'ns.test' }]
    return [answerWith(query, '', { answers: [], authorities })]
  })
  await using resolver = createResolver({ servers: [server.address] })
  await assert.rejects(resolver.resolve('example.test', 'A'), { code: 'ESERVFAIL' })
})

test('closing ends the questions under way and takes no new ones', async () => {
  await using server = await startDnsServer()
  const resolver = createResolver({ servers: [server.address] })
  server.fail(SILENCE, 'timeout')
  const waiting = assert.rejects(resolver.resolve(SILENCE, 'A'), { code: 'ECANCELLED' })
  await resolver[Symbol.asyncDispose]()
  await waiting
  await assert.rejects(resolver.resolve('example.test', 'A'), { code: 'ECANCELLED' })
})
