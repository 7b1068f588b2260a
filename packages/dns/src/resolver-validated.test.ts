// Whether an answer was validated by DNSSEC, as the DNS server says it, for those who rely on it (DANE).
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { createResolver } from './resolver.ts'

test('an answer says whether the server has validated it, from the cache as well', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  server.set('signed.test', 'A', ['192.0.2.1'])
  server.set('plain.test', 'A', ['192.0.2.2'])
  server.validate('signed.test')
  for (const _ of ['asked', 'kept']) {
    assert.deepEqual(await resolver.resolveValidated('signed.test', 'A'), { records: ['192.0.2.1'], isValidated: true })
    assert.deepEqual(await resolver.resolveValidated('plain.test', 'A'), { records: ['192.0.2.2'], isValidated: false })
  }
  assert.deepEqual(await resolver.resolve('signed.test', 'A'), ['192.0.2.1'])
  assert.equal(server.countQueries('signed.test'), 1)
})

test('that there is nothing can be validated as well', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  server.set('signed.test', 'A', ['192.0.2.1'])
  server.validate('signed.test')
  server.validate('gone.test')
  await assert.rejects(resolver.resolveValidated('signed.test', 'TLSA'), { code: 'ENODATA', isValidated: true })
  await assert.rejects(resolver.resolveValidated('gone.test', 'A'), { code: 'ENOTFOUND', isValidated: true })
  await assert.rejects(resolver.resolveValidated('plain.test', 'A'), { code: 'ENOTFOUND', isValidated: false })
})

test('a chain of aliases over several answers counts only when each of them was validated', async () => {
  for (const isFirstSigned of [true, false]) {
    // Two zones on one server: the first answer ends with the alias, and the resolver asks on.
    await using server = await startDnsServer({ zones: { 'a.test': { negativeTtlSeconds: 0 } } })
    await using other = await startDnsServer({ zones: { 'b.test': { negativeTtlSeconds: 0 } } })
    await using resolver = createResolver({ servers: [server.address, other.address] })
    server.set('mx.a.test', 'CNAME', ['mx.b.test'])
    other.set('mx.b.test', 'A', ['192.0.2.3'])
    if (isFirstSigned) server.validate('mx.a.test')
    other.validate('mx.b.test')
    const found = await resolver.resolveValidated('mx.a.test', 'A')
    assert.deepEqual(found, { records: ['192.0.2.3'], isValidated: isFirstSigned })
  }
})
