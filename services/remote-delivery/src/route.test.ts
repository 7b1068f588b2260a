// A zone with every oddity of MX records: where the mail goes, or why it goes nowhere.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Outcome } from './outcome.ts'
import { openBlackHole } from './testing/black-hole.ts'
import { type Outside, openOutside, outboundJob } from './testing/outside.ts'

const DOMAIN = 'remote.test'
const mx = (...hosts: [number, string][]) => hosts.map(([priority, exchange]) => ({ priority, exchange }))
const US = 'mail.example.test'

type Zone = (outside: Outside, host: string) => void
const zones: [string, string, Zone][] = [
  ['a null MX beside others is no null MX', 'sent', ({ dns }) => dns.set(DOMAIN, 'MX', mx([0, '.'], [10, 'ok.test']))],
  ['the same host twice', 'sent', ({ dns }) => dns.set(DOMAIN, 'MX', mx([10, 'ok.test'], [20, 'OK.test.']))],
  ['an address for a host name', 'rejected 5.4.4', ({ dns }, host) => dns.set(DOMAIN, 'MX', mx([10, host]))],
  ['an address beside a host name', 'sent', ({ dns }, host) => dns.set(DOMAIN, 'MX', mx([1, host], [10, 'ok.test']))],
  [
    'a host that is an alias',
    'sent',
    ({ dns }) => {
      dns.set(DOMAIN, 'MX', mx([10, 'alias.test']))
      dns.set('alias.test', 'CNAME', ['ok.test'])
    },
  ],
  [
    'a domain that is an alias',
    'sent',
    ({ dns }) => {
      dns.set(DOMAIN, 'CNAME', ['real.test'])
      dns.set('real.test', 'MX', mx([10, 'ok.test']))
    },
  ],
  [
    'aliases in a circle',
    'deferred 4.4.3',
    ({ dns }) => {
      dns.set(DOMAIN, 'CNAME', ['round.test'])
      dns.set('round.test', 'CNAME', [DOMAIN])
    },
  ],
  ['the best host does not exist', 'sent', ({ dns }) => dns.set(DOMAIN, 'MX', mx([1, 'none.test'], [10, 'ok.test']))],
  [
    'the address of the best host can not be told',
    'sent',
    ({ dns }) => {
      dns.set(DOMAIN, 'MX', mx([1, 'fails.test'], [10, 'ok.test']))
      dns.fail('fails.test', 'SERVFAIL')
    },
  ],
  ['only ourselves', 'rejected 5.4.6', ({ dns }) => dns.set(DOMAIN, 'MX', mx([10, US.toUpperCase()]))],
  ['ourselves before another', 'rejected 5.4.6', ({ dns }) => dns.set(DOMAIN, 'MX', mx([10, US], [20, 'ok.test']))],
  ['ourselves and an equal', 'rejected 5.4.6', ({ dns }) => dns.set(DOMAIN, 'MX', mx([10, US], [10, 'ok.test']))],
  ['ourselves after another', 'sent', ({ dns }) => dns.set(DOMAIN, 'MX', mx([10, 'ok.test'], [20, US]))],
  ['a wildcard without hosts', 'rejected 5.4.4', ({ dns }) => dns.set(DOMAIN, 'MX', mx([10, '*.test'], [20, '-']))],
  [
    'a hundred hosts that do not answer',
    'deferred 4.4.1',
    (outside) => {
      const hosts = Array.from({ length: 100 }, (_, index): [number, string] => [index, `dead${index}.test`])
      outside.dns.set(DOMAIN, 'MX', mx(...hosts))
      for (const [index, host] of hosts) outside.dns.set(host, 'A', [`127.0.1.${index + 1}`])
    },
  ],
  [
    'IPv6 that nobody answers at, and IPv4',
    'sent',
    ({ dns }, host) => {
      dns.set(DOMAIN, 'MX', mx([10, 'both.test']))
      dns.set('both.test', 'AAAA', ['::1'])
      dns.set('both.test', 'A', [host])
    },
  ],
]
const brief = (outcome: Outcome | undefined) =>
  outcome?.kind === 'sent' ? 'sent' : `${outcome?.kind} ${outcome?.status}`

for (const [name, expected, arrange] of zones) {
  test(`MX records: ${name}: ${expected}`, async () => {
    await using outside = await openOutside()
    const server = await outside.startMx('ok.test')
    outside.dns.set('ok.test', 'A', [server.host])
    outside.dns.set(US, 'A', [server.host])
    arrange(outside, server.host)
    const outcomes = await outside.deliver(outboundJob([`bob@${DOMAIN}`]))
    assert.equal(brief(outcomes.get(`bob@${DOMAIN}`)), expected)
    assert.equal(server.mails.length, expected === 'sent' ? 1 : 0)
  })
}

test('a server that is reached by IPv6 only gets its mail', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx('elsewhere.test', { host: '::1' })
  outside.dns.set(DOMAIN, 'MX', mx([10, 'six.test']))
  outside.dns.set('six.test', 'AAAA', ['::1'])
  const outcomes = await outside.deliver(outboundJob([`bob@${DOMAIN}`]))
  assert.deepEqual([brief(outcomes.get(`bob@${DOMAIN}`)), server.mails.length], ['sent', 1])
})

test('a server that greets with our own name is a loop', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx(DOMAIN, { hostname: US })
  const outcomes = await outside.deliver(outboundJob([`bob@${DOMAIN}`]))
  assert.deepEqual([brief(outcomes.get(`bob@${DOMAIN}`)), server.mails.length], ['rejected 5.4.6', 0])
})

test('a dead host costs a bounded time, and that once: the next mail goes to the others first', async () => {
  await using outside = await openOutside()
  const server = await outside.startMx(DOMAIN, { priority: 2 })
  const dead = outside.nextHost()
  await using _hole = await openBlackHole(dead, outside.port)
  outside.addMx(DOMAIN, dead, 1)
  const ports = outside.ports({}, { connectTimeoutMs: 1_500 })
  const tried: string[] = []
  const { exchangers } = ports
  const connect: typeof exchangers.connect = (to, signal) => {
    tried.push(to.address)
    return exchangers.connect(to, signal)
  }
  const watched = { ...ports, exchangers: { ...exchangers, connect } }
  for (let mails = 0; mails < 3; mails++) await outside.deliver(outboundJob([`bob@${DOMAIN}`]), watched)
  assert.equal(server.mails.length, 3)
  assert.deepEqual(tried, [dead, server.host, server.host, server.host])
})
