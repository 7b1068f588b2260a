// DNS in trouble: a name that fails is recorded as temperror, servers that say nothing at all hold the mail.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createResolver } from '@sekimori/dns/resolver'
import type { Job } from '@sekimori/mail/job'
import { Dependencies, DependencyAway } from '@sekimori/runtime/dependency'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { eventually } from '@sekimori/testing/eventually'
import { watchDns } from './dns-watch.ts'
import { createVerifier } from './verify.ts'

const BYTES = Buffer.from('From: anna@sender.test\r\n\r\nbody\r\n')
const job: Job = {
  queueId: 'q',
  direction: 'inbound',
  acceptedAt: 1,
  envelope: { mailFrom: 'anna@sender.test', recipients: [{ address: 'bob@example.test' }] },
  session: { receivedBy: 'mx', clientAddress: '192.0.2.1', ehloName: 'mx.sender.test' },
  added: [],
  struck: [],
  history: [],
  content: { kind: 'inline', bytes: BYTES },
}

async function startVerifier(address: string, { isConfigured = true, timeoutMs = 10_000 } = {}) {
  const resources = new AsyncDisposableStack()
  const dependencies = new Dependencies()
  const resolver = resources.use(createResolver({ servers: [address], timeoutMs, attempts: 1 }))
  const watch = resources.use(watchDns(resolver, dependencies, isConfigured))
  const verify = createVerifier({
    resolve: resolver.resolve,
    isDnsAway: watch.isAway,
    hostname: 'mx.test',
    open: async function* () {
      yield BYTES
    },
    head: async () => BYTES,
  })
  return { dependencies, verify: () => verify(job), [Symbol.asyncDispose]: () => resources.disposeAsync() }
}

test('name servers that fail or keep silent make temperror, after bounded tries, and hold nothing', async () => {
  await using server = await startDnsServer()
  for (const [fault, timeoutMs] of [
    ['SERVFAIL', 10_000],
    ['timeout', 1_000],
  ] as const) {
    await using verifier = await startVerifier(server.address, { timeoutMs })
    server.fail('sender.test', fault)
    server.fail('_dmarc.sender.test', fault)
    const { spf, dmarc } = await verifier.verify()
    assert.deepEqual([spf?.result, dmarc.result], ['temperror', 'temperror'], fault)
    assert.deepEqual(verifier.dependencies.away(), {})
  }
})

test('while no DNS server says anything mail waits, and goes on when one does', async () => {
  const server = await startDnsServer()
  const port = Number(server.address.split(':')[1])
  await using verifier = await startVerifier(server.address)
  server.set('sender.test', 'TXT', ['v=spf1 ip4:192.0.2.1 -all'], { ttlSeconds: 0 })
  assert.equal((await verifier.verify()).spf?.result, 'pass')
  await server[Symbol.asyncDispose]()
  await assert.rejects(verifier.verify(), DependencyAway)
  assert.deepEqual(Object.keys(verifier.dependencies.away()), ['dns'])
  await using back = await startDnsServer({ port })
  back.set('sender.test', 'TXT', ['v=spf1 ip4:192.0.2.1 -all'])
  await eventually(() => Object.keys(verifier.dependencies.away()).length === 0)
  await eventually(async () => (await verifier.verify()).spf?.result === 'pass')
})

test('on a machine that never had a DNS server, mail does not wait for one', async () => {
  const server = await startDnsServer()
  const { address } = server
  await server[Symbol.asyncDispose]()
  await using verifier = await startVerifier(address, { isConfigured: false })
  assert.equal((await verifier.verify()).spf?.result, 'temperror')
  assert.deepEqual(verifier.dependencies.away(), {})
})
