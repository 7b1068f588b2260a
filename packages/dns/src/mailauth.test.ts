// The resolver in the hands of mailauth: absence, temporary failure and records reach its verdicts as they should.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { spf } from 'mailauth/lib/spf/index.js'
import { createResolver, type Resolver } from './resolver.ts'

async function verdict(resolver: Resolver, domain: string): Promise<string> {
  const session = { sender: `a@${domain}`, ip: '192.0.2.7', helo: 'mx.test', mta: 'us.test' }
  return (await spf({ ...session, resolver: resolver.resolve })).status.result
}

test('SPF passes by a, mx and include terms, and fails otherwise', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  server.set('mx-term.test', 'TXT', ['v=spf1 mx -all'])
  server.set('mx-term.test', 'MX', [{ exchange: 'mx.test', priority: 5 }])
  server.set('mx.test', 'A', ['192.0.2.7'])
  server.set('include.test', 'TXT', ['unrelated', 'v=spf1 include:mx-term.test -all'])
  server.set('fail.test', 'TXT', ['v=spf1 a:none.test -all'])
  assert.equal(await verdict(resolver, 'mx-term.test'), 'pass')
  assert.equal(await verdict(resolver, 'include.test'), 'pass')
  assert.equal(await verdict(resolver, 'fail.test'), 'fail')
})

test('no record is none, a failing or silent server is temperror', async () => {
  await using server = await startDnsServer()
  await using resolver = createResolver({ servers: [server.address] })
  await using impatient = createResolver({ servers: [server.address], timeoutMs: 100, attempts: 1 })
  server.fail('broken.test', 'SERVFAIL')
  server.fail('silent.test', 'timeout')
  assert.equal(await verdict(resolver, 'none.test'), 'none')
  assert.equal(await verdict(resolver, 'broken.test'), 'temperror')
  assert.equal(await verdict(impatient, 'silent.test'), 'temperror')
})
