// Shapes and error codes of the resolver, held against Node's own on the same server.
import assert from 'node:assert/strict'
import { Resolver as NodeResolver } from 'node:dns/promises'
import { test } from 'node:test'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { createResolver } from './resolver.ts'

test('records come in the shapes of node:dns', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  const node = new NodeResolver()
  node.setServers([server.address])
  server.set('example.test', 'A', ['192.0.2.1', '192.0.2.2'])
  server.set('example.test', 'AAAA', ['2001:db8::1', '::', '2001:db8:0:1:0:0:0:1'])
  server.set('example.test', 'NS', ['Ns1.Example.test'])
  server.set('example.test', 'TXT', ['v=spf1 -all', ['one', 'two'], 'k'.repeat(300), '関守', ''])
  server.set('www.example.test', 'CNAME', ['example.test'])
  server.set('1.2.0.192.in-addr.arpa', 'PTR', ['mail.example.test'])
  for (const type of ['A', 'AAAA', 'NS', 'TXT'] as const)
    assert.deepEqual(await resolver.resolve('example.test', type), await node.resolve('example.test', type))
  assert.deepEqual(await resolver.resolve('www.example.test', 'CNAME'), await node.resolveCname('www.example.test'))
  assert.deepEqual(await resolver.resolve('www.example.test', 'TXT'), await node.resolveTxt('www.example.test'))
  assert.deepEqual(await resolver.reverse('192.0.2.1'), ['mail.example.test'])
})

test('MX, null MX and TLSA come as the mail libraries read them', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  const tlsa = { usage: 3, selector: 1, matchingType: 1, data: Buffer.from('0102', 'hex') }
  server.set('example.test', 'MX', [{ exchange: 'mx.example.test', priority: 10 }])
  server.set('no-mail.test', 'MX', [{ exchange: '', priority: 0 }])
  server.set('_25._tcp.mx.example.test', 'TLSA', [tlsa])
  assert.deepEqual(await resolver.resolve('example.test', 'MX'), [{ exchange: 'mx.example.test', priority: 10 }])
  assert.deepEqual(await resolver.resolve('no-mail.test', 'MX'), [{ exchange: '', priority: 0 }])
  assert.deepEqual(await resolver.resolve('_25._tcp.mx.example.test', 'TLSA'), [tlsa])
})

test('no such name, no such data, refusal and server failure have the codes of node:dns', async () => {
  await using server = await startDnsServer({ zones: { 'example.test': { negativeTtlSeconds: 0 } } })
  await using resolver = createResolver({ servers: [server.address] })
  await using impatient = createResolver({ servers: [server.address], timeoutMs: 100, attempts: 1 })
  server.set('example.test', 'A', ['192.0.2.1'])
  server.fail('broken.example.test', 'SERVFAIL')
  server.fail('silent.example.test', 'timeout')
  await assert.rejects(resolver.resolve('example.test', 'MX'), {
    code: 'ENODATA',
    syscall: 'queryMx',
    hostname: 'example.test',
    message: 'queryMx ENODATA example.test',
  })
  await assert.rejects(resolver.resolve('none.example.test', 'A'), { code: 'ENOTFOUND' })
  await assert.rejects(resolver.resolve('elsewhere.test', 'A'), { code: 'EREFUSED' })
  await assert.rejects(resolver.resolve('broken.example.test', 'A'), { code: 'ESERVFAIL' })
  await assert.rejects(impatient.resolve('silent.example.test', 'A'), { code: 'ETIMEOUT' })
  await assert.rejects(resolver.resolve('example..test', 'A'), { code: 'EBADNAME' })
  await assert.rejects(resolver.resolve('example.test', 'HINFO'), { code: 'EBADQUERY' })
  await assert.rejects(resolver.reverse('example.test'), { code: 'EBADNAME' })
})

test('an internationalised name is asked by its A-labels', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  server.set('xn--39sz56k.example', 'TXT', ['v=spf1 -all'])
  assert.deepEqual(await resolver.resolve('関守.example', 'TXT'), [['v=spf1 -all']])
})

test('aliases are followed, and a chain without an end is a failure', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  server.set('a.test', 'CNAME', ['b.test'])
  server.set('b.test', 'CNAME', ['c.test'])
  server.set('c.test', 'A', ['192.0.2.3'])
  server.set('d.test', 'CNAME', ['gone.test'])
  server.set('loop.test', 'CNAME', ['pool.test'])
  server.set('pool.test', 'CNAME', ['loop.test'])
  assert.deepEqual(await resolver.resolve('a.test', 'A'), ['192.0.2.3'])
  await assert.rejects(resolver.resolve('a.test', 'MX'), { code: 'ENODATA' })
  await assert.rejects(resolver.resolve('d.test', 'A'), { code: 'ENOTFOUND' })
  await assert.rejects(resolver.resolve('loop.test', 'A'), { code: 'EBADRESP' })
  assert.ok(server.countQueries('loop.test') + server.countQueries('pool.test') < 12)
})
