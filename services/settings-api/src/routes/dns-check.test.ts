// What a domain publishes is held against what it should be: each way to get it wrong is told in words.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { after, before, beforeEach, test } from 'node:test'
import { isPublic } from '@sekimori/dns/public-address'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { makeTestCertificate } from '@sekimori/testing/test-certificate'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

const DOMAIN = 'checked.test'
const HOST = 'mail.example.test'
const certificate = await makeTestCertificate(`mta-sts.${DOMAIN}`)
const dns = await startDnsServer()
let policy = { status: 200, type: 'text/plain; charset=utf-8', body: '', location: '' }
const policyHost = createServer(certificate, (_request, response) => {
  response.writeHead(policy.status, { 'content-type': policy.type, location: policy.location })
  response.end(policy.body)
}).listen(0, '127.0.0.1')
await once(policyHost, 'listening')
const { port } = policyHost.address() as AddressInfo
let isPrivateAllowed = true
let api: ApiUnderTest

before(async () => {
  const isAllowed = (address: string) => isPrivateAllowed || isPublic(address)
  api = await openApi(undefined, {
    dnsServers: [dns.address],
    policyHost: { port, ca: certificate.cert, isAllowed },
  })
  await api.call('POST', '/v1/domains', { name: DOMAIN })
  dns.set(HOST, 'A', ['127.0.0.1'])
})
after(async () => {
  await api[Symbol.asyncDispose]()
  policyHost.close()
  policyHost.closeAllConnections()
  await dns[Symbol.asyncDispose]()
})

const text = (name: string, ...records: string[]) => dns.set(name, 'TXT', records)

beforeEach(async () => {
  isPrivateAllowed = true
  policy = { status: 200, type: 'text/plain; charset=utf-8', body: policyText(HOST), location: '' }
  dns.set(DOMAIN, 'MX', [{ exchange: HOST, priority: 10 }])
  text(DOMAIN, 'v=spf1 mx -all', 'another thing')
  text(`_dmarc.${DOMAIN}`, `v=DMARC1; p=reject; rua=mailto:d@sub.${DOMAIN}`)
  text(`_mta-sts.${DOMAIN}`, 'v=STSv1; id=20260101;')
  text(`_smtp._tls.${DOMAIN}`, `v=TLSRPTv1; rua=mailto:tls@${DOMAIN}`)
  dns.set(`mta-sts.${DOMAIN}`, 'A', ['127.0.0.1'])
  const { body } = await api.call('GET', `/v1/domains/${DOMAIN}/dkim-keys`)
  for (const key of body.items) text(key.dnsName, key.dnsRecord)
})

function policyText(...hosts: string[]): string {
  return ['version: STSv1', 'mode: enforce', 'max_age: 1209600', ...hosts.map((host) => `mx: ${host}`), ''].join('\r\n')
}

interface Item {
  purpose: string
  name: string
  result: string
  found: string[]
  notes: { weight: string; ja: string; en: string }[]
}

async function check(): Promise<{ isRight: boolean; items: Item[] }> {
  const { status, body } = await api.call('GET', `/v1/domains/${DOMAIN}/dns-check`)
  assert.equal(status, 200)
  return body
}

/** What is said of one kind of record. */
async function said(purpose: string): Promise<string> {
  const { items } = await check()
  const item = items.find((one) => one.purpose === purpose)!
  for (const note of item.notes) assert.match(note.ja, /[\u3040-\u30ff]/, 'every note is in Japanese, too')
  return [item.result, ...item.notes.map(({ en }) => en)].join(' | ')
}

test('S2-02 records that are as they should be are right', async () => {
  const { isRight, items } = await check()
  assert.deepEqual(
    items.map(({ purpose, result }) => `${purpose} ${result}`),
    ['mx right', 'spf right', 'dkim right', 'dkim right', 'dmarc right', 'mta-sts right', 'tls-rpt right'],
  )
  assert.equal(isRight, true)
})

test('S2-02 SPF: each fault is told', async () => {
  const many = Array.from({ length: 11 }, (_, at) => `a:h${at}.test`).join(' ')
  text('loop.test', 'v=spf1 include:loop.test -all')
  text('two.test', 'v=spf1 -all', 'v=spf1 ~all')
  const cases: [string[], RegExp][] = [
    [[], /^missing \| There is no SPF record/],
    [['v=spf1 mx -all', 'v=spf1 -all'], /^wrong \| There are 2 SPF records/],
    [['v=spf1 +all'], /^wrong \| .*everybody in the world/],
    [['v=spf1 mx all'], /everybody in the world/],
    [['v=spf1 mx ?all'], /^advice \| It ends with "\?all"/],
    [['v=spf1 mx'], /^advice \| It does not end with/],
    [['v=spf1 mx ptr -all'], /^advice \| .*uses ptr/],
    [['v=spf1 -all mx'], /What stands after "all" is ignored: mx/],
    [[`v=spf1 ${many} -all`], /^wrong \| It needs 11 or more DNS lookups/],
    [['v=spf1 include:loop.test -all'], /It needs \d+ or more DNS lookups/],
    [['v=spf1 include:none.test -all'], /leads to none\.test, which has no SPF record/],
    [['v=spf1 include:two.test -all'], /leads to two\.test, which has several/],
    [['v=spf1 ip4:1.2.3 -all'], /"ip4:1\.2\.3" in the SPF record of checked\.test can not be read/],
    [['v=spf1 ip4:192.0.2.0/33 -all'], /can not be read/],
    [['v=spf1 mx, -all'], /"mx," .* can not be read/],
    [['v=spf1 include=mail.test -all'], /can not be read/],
    [['v=spf1 ip4:192.0.2.1 -all'], /^wrong \| Mail from mail\.example\.test \(127\.0\.0\.1\) gets "fail"/],
  ]
  for (const [records, expected] of cases) {
    text(DOMAIN, ...records, 'another thing')
    assert.match(await said('spf'), expected, records.join(' / '))
  }
  dns.fail(DOMAIN, 'SERVFAIL')
  assert.match(await said('spf'), /^unknown \| DNS gave no answer/)
  dns.heal(DOMAIN)
})

test('MX: missing, elsewhere, aliases and hosts without addresses are told', async () => {
  dns.set('other.test', 'A', ['127.0.0.1'])
  dns.set('alias.test', 'CNAME', ['other.test'])
  const cases: [string[], RegExp][] = [
    [['other.test'], /^wrong \| The MX records lead elsewhere \(other\.test\)/],
    [[HOST, 'other.test'], /^advice \| Other servers are MX as well/],
    [[HOST, 'alias.test'], /The MX host alias\.test is a CNAME/],
    [[HOST, 'nowhere.test'], /The MX host nowhere\.test has no A or AAAA record/],
    [[''], /^wrong \| The MX record says "\."/],
  ]
  for (const [hosts, expected] of cases) {
    dns.set(
      DOMAIN,
      'MX',
      hosts.map((exchange, at) => ({ exchange, priority: at })),
    )
    assert.match(await said('mx'), expected)
  }
  dns.delete(DOMAIN, 'MX')
  assert.match(await said('mx'), /^missing \| Without an MX record/)
})

test('DMARC and TLS-RPT: each fault is told', async () => {
  const cases: [string[], RegExp][] = [
    [[], /^missing/],
    [['v=DMARC1; p=none'], /^advice \| With p=none/],
    [['v=DMARC1'], /p= must be none, quarantine or reject/],
    [['v=DMARC1; p=block'], /p= must be none/],
    [['v=DMARC1; p=reject; sp=x'], /sp= must be none/],
    [['v=DMARC1 p=reject'], /can not be read/],
    [['v=DMARC1; p=reject; pct=10'], /pct is no longer in use/],
    [['v=DMARC1; p=reject; adkim=q'], /adkim= must be one of/],
    [['v=DMARC1; p=reject; rua=d@x.test'], /rua= must name destinations that begin with mailto:/],
    [['v=DMARC1; p=reject; rua=mailto:d@x.test'], /checked\.test\._report\._dmarc\.x\.test/],
    [['v=DMARC1; p=reject', 'v=DMARC1; p=none'], /There are 2 DMARC records/],
  ]
  for (const [records, expected] of cases) {
    text(`_dmarc.${DOMAIN}`, ...records, 'another thing')
    assert.match(await said('dmarc'), expected, records.join(' / '))
  }
  text(`_smtp._tls.${DOMAIN}`, 'v=TLSRPTv1; rua=tls@x.test')
  assert.match(await said('tls-rpt'), /^wrong \| rua= must name/)
  dns.delete(`_smtp._tls.${DOMAIN}`, 'TXT')
  assert.match(await said('tls-rpt'), /^advice \| There is no TLS-RPT record/)
})

test('MTA-STS: the record, the policy and how it is served are looked at', async () => {
  const cases: [() => void, RegExp][] = [
    [() => text(`_mta-sts.${DOMAIN}`), /^advice \| MTA-STS is not set up/],
    [() => text(`_mta-sts.${DOMAIN}`, 'v=STSv1; id='), /The MTA-STS record can not be read/],
    [() => dns.delete(`mta-sts.${DOMAIN}`, 'A'), /the host has no address/],
    [() => Object.assign(policy, { status: 404 }), /HTTP 404 came/],
    [() => Object.assign(policy, { status: 301, location: 'https://elsewhere.test/' }), /HTTP 301 came/],
    [() => Object.assign(policy, { type: 'text/html' }), /must be served as text\/plain/],
    [() => Object.assign(policy, { body: 'hello' }), /The policy can not be read/],
    [() => Object.assign(policy, { body: 'x'.repeat(100_000) }), /larger than 64 KB/],
    [() => Object.assign(policy, { body: policyText('other.test') }), /do not name mail\.example\.test/],
    [
      () => Object.assign(policy, { body: policyText(HOST).replace('enforce', 'testing') }),
      /^advice \| mode: testing enforces nothing/,
    ],
  ]
  for (const [change, expected] of cases) {
    dns.set(`mta-sts.${DOMAIN}`, 'A', ['127.0.0.1'])
    text(`_mta-sts.${DOMAIN}`, 'v=STSv1; id=1;')
    policy = { status: 200, type: 'text/plain', body: policyText(HOST), location: '' }
    change()
    assert.match(await said('mta-sts'), expected)
  }
})

test('a policy host inside our own network is never connected to', async () => {
  isPrivateAllowed = false
  let connections = 0
  policyHost.on('connection', () => connections++)
  assert.match(await said('mta-sts'), /its address 127\.0\.0\.1 is not one of the internet/)
  assert.equal(connections, 0)
})

test('DKIM: a key that is not published, and a record that is no longer needed, are told', async () => {
  const { body } = await api.call('GET', `/v1/domains/${DOMAIN}/dkim-keys`)
  dns.delete(body.items[0].dnsName, 'TXT')
  const lacking = (await check()).items.find(({ name }) => name === body.items[0].dnsName)!
  assert.equal(lacking.result, 'missing')
  assert.match(lacking.notes[0]!.en, /There is no TXT record\. Publish the TXT record/)
  const { items } = (await api.call('POST', `/v1/domains/${DOMAIN}/dkim-keys`)).body
  const pending = items.find((key: { state: string }) => key.state === 'pending')
  text(pending.dnsName, pending.dnsRecord)
  await api.call('POST', `/v1/domains/${DOMAIN}/dkim-keys/${pending.selector}/retire`)
  const left = (await check()).items.find(({ name }) => name === pending.dnsName)!
  assert.match(left.notes[0]!.en, /Remove the TXT record/)
})
