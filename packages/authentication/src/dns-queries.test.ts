// What verification asks of DNS: nearly nothing for senders that write again, and only what it must for new ones.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createResolver } from '@sekimori/dns/resolver'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { openInline, readInlineHead } from './testing/inline-content.ts'
import { publishSenders } from './testing/steady-senders.ts'
import { createVerifier } from './verify.ts'

test('repeated senders cost less than 0.2 queries a mail', async () => {
  await using server = await startDnsServer({ zones: { test: { negativeTtlSeconds: 300 } } })
  await using resolver = createResolver({ servers: [server.address] })
  const verify = createVerifier({
    resolve: resolver.resolve,
    isDnsAway: async () => false,
    hostname: 'mx.here.test',
    open: openInline,
    head: readInlineHead,
  })
  const senders = publishSenders(server, 20, 200)
  const rounds = 10
  let first = 0
  for (let round = 0; round <= rounds; round++) {
    for (const sender of senders) {
      const { spf, dkim, dmarc } = await verify(sender.mail())
      assert.deepEqual([spf?.result, dkim[0]?.result, dmarc.result], ['pass', 'pass', 'pass'])
    }
    if (round === 0) first = server.queries.length
  }
  assert.ok(first > 0 && first <= 8 * senders.length, `${first} queries for ${senders.length} new senders`)
  const steady = (server.queries.length - first) / (rounds * senders.length)
  assert.ok(steady < 0.2, `${steady} queries a mail`)
})

test('mails of one sender that come together ask once', async () => {
  await using server = await startDnsServer({ zones: { test: { negativeTtlSeconds: 300 } } })
  await using resolver = createResolver({ servers: [server.address] })
  const [sender] = publishSenders(server, 1, 200)
  const options = { resolve: resolver.resolve, isDnsAway: async () => false, hostname: 'mx.here.test' }
  const verify = createVerifier({ ...options, open: openInline, head: readInlineHead })
  await Promise.all(Array.from({ length: 50 }, () => verify(sender!.mail())))
  const asked = server.queries.map(({ name, type }) => `${type} ${name}`)
  assert.deepEqual(asked.sort(), [...new Set(asked)].sort())
})
