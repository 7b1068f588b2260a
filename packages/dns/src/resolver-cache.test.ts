// How long answers are kept, and that one question is asked once.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { createResolver } from './resolver.ts'

const NEGATIVE = { '.': { negativeTtlSeconds: 30 } }

function clock(): { now: () => number; forward: (seconds: number) => void } {
  let ms = 1000
  return {
    now: () => ms,
    forward: (seconds) => {
      ms += seconds * 1000
    },
  }
}

test('an answer is kept for its TTL and no longer', async () => {
  const { now, forward } = clock()
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address], now })
  server.set('example.test', 'A', ['192.0.2.1'], { ttlSeconds: 10 })
  await resolver.resolve('example.test', 'A')
  server.set('example.test', 'A', ['192.0.2.2'], { ttlSeconds: 10 })
  forward(9.9)
  assert.deepEqual(await resolver.resolve('EXAMPLE.test.', 'A'), ['192.0.2.1'])
  assert.deepEqual(resolver.counters, { queries: 1, hits: 1, answers: 1, timeouts: 0 })
  forward(0.2)
  assert.deepEqual(await resolver.resolve('example.test', 'A'), ['192.0.2.2'])
})

test('the shortest TTL of an alias chain counts, and 0 keeps nothing', async () => {
  const { now, forward } = clock()
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address], now })
  server.set('www.test', 'CNAME', ['host.test'], { ttlSeconds: 5 })
  server.set('host.test', 'A', ['192.0.2.1'], { ttlSeconds: 600 })
  server.set('zero.test', 'A', ['192.0.2.1'], { ttlSeconds: 0 })
  server.set('huge.test', 'A', ['192.0.2.1'], { ttlSeconds: 0x8000_0000 })
  for (const name of ['www.test', 'zero.test', 'huge.test']) {
    await resolver.resolve(name, 'A')
    await resolver.resolve(name, 'A')
  }
  assert.equal(server.countQueries('www.test'), 1)
  assert.equal(server.countQueries('zero.test'), 2)
  assert.equal(server.countQueries('huge.test'), 2)
  forward(5.1)
  await resolver.resolve('www.test', 'A')
  assert.equal(server.countQueries('www.test'), 2)
})

test('that there is nothing is kept for as long as the SOA says', async () => {
  const { now, forward } = clock()
  await using server = await startDnsServer({ zones: NEGATIVE })
  await using resolver = createResolver({ servers: [server.address], now })
  server.set('example.test', 'A', ['192.0.2.1'])
  for (const [name, code] of [
    ['none.test', 'ENOTFOUND'],
    ['example.test', 'ENODATA'],
  ] as const) {
    await assert.rejects(resolver.resolve(name, 'MX'), { code })
    await assert.rejects(resolver.resolve(name, 'MX'), { code })
    assert.equal(server.countQueries(name, 'MX'), 1)
  }
  server.set('none.test', 'MX', [{ exchange: 'mx.test', priority: 5 }])
  forward(30.1)
  assert.deepEqual(await resolver.resolve('none.test', 'MX'), [{ exchange: 'mx.test', priority: 5 }])
})

test('nothing is kept of nothing where the SOA says 0, and never for days', async () => {
  const { now, forward } = clock()
  await using server = await startDnsServer({
    zones: { 'zero.test': { negativeTtlSeconds: 0 }, 'long.test': { negativeTtlSeconds: 864_000 } },
  })
  await using resolver = createResolver({ servers: [server.address], now })
  for (const name of ['a.zero.test', 'a.zero.test', 'a.long.test', 'a.long.test'])
    await assert.rejects(resolver.resolve(name, 'A'), { code: 'ENOTFOUND' })
  assert.equal(server.countQueries('a.zero.test'), 2)
  assert.equal(server.countQueries('a.long.test'), 1)
  forward(3 * 3600 + 1)
  await assert.rejects(resolver.resolve('a.long.test', 'A'))
  assert.equal(server.countQueries('a.long.test'), 2)
})

test('a failure is kept for a second only', async () => {
  const { now, forward } = clock()
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address], now })
  server.set('example.test', 'A', ['192.0.2.1'])
  server.fail('example.test', 'SERVFAIL')
  await assert.rejects(resolver.resolve('example.test', 'A'), { code: 'ESERVFAIL' })
  await assert.rejects(resolver.resolve('example.test', 'A'), { code: 'ESERVFAIL' })
  assert.equal(server.countQueries('example.test'), 1)
  server.heal('example.test')
  forward(1.1)
  assert.deepEqual(await resolver.resolve('example.test', 'A'), ['192.0.2.1'])
})

test('many at once ask one question, and each gets records of its own', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  server.set('example.test', 'MX', [{ exchange: 'mx.test', priority: 5 }], { ttlSeconds: 0 })
  const answers = await Promise.all(Array.from({ length: 50 }, () => resolver.resolve('example.test', 'MX')))
  assert.equal(server.countQueries('example.test'), 1)
  answers[0]![0]!.exchange = 'changed'
  answers[0]!.length = 0
  assert.deepEqual(answers[1], [{ exchange: 'mx.test', priority: 5 }])
})

test('what the cache holds can not be changed from outside', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  server.set('example.test', 'TXT', [['one', 'two']])
  const [first] = await resolver.resolve('example.test', 'TXT')
  first!.push('three')
  assert.deepEqual(await resolver.resolve('example.test', 'TXT'), [['one', 'two']])
  assert.equal(resolver.counters.hits, 1)
})

test('the least recently used answers go when there are too many', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address], maxEntries: 3 })
  const ask = async (...hosts: number[]) => {
    for (const host of hosts) await resolver.resolve(`h${host}.test`, 'A')
  }
  for (const host of [1, 2, 3, 4]) server.set(`h${host}.test`, 'A', ['192.0.2.1'])
  server.set('h5.test', 'A', ['192.0.2.1'], { ttlSeconds: 0 })
  await ask(1, 2, 3, 1, 4)
  assert.equal(resolver.counters.queries, 4)
  await ask(5, 1, 3, 4)
  assert.equal(resolver.counters.queries, 5)
  await ask(2)
  assert.equal(resolver.counters.queries, 6)
})

test('large answers take the room of several', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address], maxEntries: 8 })
  for (const host of [1, 2, 3]) server.set(`h${host}.test`, 'TXT', ['x'.repeat(4000)])
  for (const host of [1, 2, 3]) await resolver.resolve(`h${host}.test`, 'TXT')
  for (const host of [3, 2, 1]) await resolver.resolve(`h${host}.test`, 'TXT')
  assert.ok(server.countQueries('h1.test') > 2)
  assert.equal(server.countQueries('h3.test'), 2)
})
