// Domains and what they publish in DNS, as an operator manages them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

let api: ApiUnderTest

before(async () => {
  api = await openApi()
})
after(() => api[Symbol.asyncDispose]())

test('a domain is added, shown, listed and removed', async () => {
  const added = await api.call('POST', '/v1/domains', { name: 'Example.TEST.' })
  assert.equal(added.status, 201)
  assert.equal(added.headers.location, '/v1/domains/example.test')
  assert.equal(added.body.name, 'example.test')
  assert.deepEqual((await api.call('GET', '/v1/domains/EXAMPLE.test')).body, added.body)
  assert.deepEqual((await api.call('GET', '/v1/domains')).body, { items: [added.body] })
  const again = await api.call('POST', '/v1/domains', { name: 'example.test' })
  assert.deepEqual([again.status, again.body.type], [409, '/problems/domain-exists'])
  assert.equal((await api.call('DELETE', '/v1/domains/example.test')).status, 204)
  assert.equal((await api.call('GET', '/v1/domains/example.test')).status, 404)
  assert.equal((await api.call('DELETE', '/v1/domains/example.test')).status, 404)
})

test('a domain records DMARC until it is told to enforce it', async () => {
  assert.equal((await api.call('POST', '/v1/domains', { name: 'strict.test' })).body.dmarcPolicy, 'record')
  const changed = await api.call('PATCH', '/v1/domains/STRICT.test', { dmarcPolicy: 'enforce' })
  assert.deepEqual([changed.status, changed.body.dmarcPolicy], [200, 'enforce'])
  assert.equal((await api.call('GET', '/v1/domains/strict.test')).body.dmarcPolicy, 'enforce')
  assert.equal((await api.call('PATCH', '/v1/domains/gone.test', { dmarcPolicy: 'enforce' })).status, 404)
  for (const body of [{ dmarcPolicy: 'reject' }, {}, { dmarcPolicy: 'record', name: 'x.test' }])
    assert.equal((await api.call('PATCH', '/v1/domains/strict.test', body)).status, 422, JSON.stringify(body))
  assert.equal((await api.call('DELETE', '/v1/domains/strict.test')).status, 204)
})

test('an internationalised name is kept as A-labels', async () => {
  assert.equal((await api.call('POST', '/v1/domains', { name: '関守.jp' })).body.name, 'xn--39sz56k.jp')
  assert.equal((await api.call('GET', `/v1/domains/${encodeURIComponent('関守.jp')}`)).status, 200)
})

test('what is no domain name is not added', async () => {
  const names = [
    '',
    'no domain',
    '1234',
    '192.0.2.1',
    '[::1]',
    'a..test',
    '-a.test',
    'a.test/x',
    'a@b.test',
    'a_b.test',
  ]
  for (const name of names) assert.equal((await api.call('POST', '/v1/domains', { name })).status, 422, name)
})

test('a domain in use is not removed', async () => {
  await api.addAccounts('alice@used.test')
  const refused = await api.call('DELETE', '/v1/domains/used.test')
  assert.deepEqual([refused.status, refused.body.type], [409, '/problems/domain-in-use'])
  await api.call('DELETE', '/v1/accounts/alice@used.test')
  assert.equal((await api.call('DELETE', '/v1/domains/used.test')).status, 204)
})

test('S2-08 the DKIM keys of a domain are told as the records to publish', async () => {
  await api.call('POST', '/v1/domains', { name: 'keys.test' })
  const { items } = (await api.call('GET', '/v1/domains/keys.test/dkim-keys')).body
  const [ed25519, rsa] = items
  assert.deepEqual([ed25519.algorithm, rsa.algorithm], ['ed25519-sha256', 'rsa-sha256'])
  assert.match(ed25519.dnsRecord, /^v=DKIM1; k=ed25519; p=[\w+/]{43}=$/)
  for (const key of items) {
    assert.equal(key.state, 'active')
    assert.equal(key.dnsName, `${key.selector}._domainkey.keys.test`)
    assert.equal(key.dnsTxtStrings.join(''), key.dnsRecord)
    assert.ok(key.dnsTxtStrings.every((string: string) => string.length <= 255))
  }
  assert.equal(rsa.dnsTxtStrings.length, 2)
  assert.equal((await api.call('GET', '/v1/domains/no.test/dkim-keys')).status, 404)
})

test('S2-02 every record that a domain should publish is listed', async () => {
  await api.call('POST', '/v1/domains', { name: 'records.test' })
  const { items } = (await api.call('GET', '/v1/domains/records.test/dns-records')).body
  const keys = (await api.call('GET', '/v1/domains/records.test/dkim-keys')).body.items
  const lines = items.map((record: { zoneLine: string }) => record.zoneLine)
  assert.deepEqual(lines, [
    'records.test. 3600 IN MX 10 mail.example.test.',
    'records.test. 3600 IN TXT "v=spf1 mx -all"',
    ...keys.map((key: { zoneLine: string }) => key.zoneLine),
    '_dmarc.records.test. 3600 IN TXT "v=DMARC1; p=none"',
  ])
  assert.equal((await api.call('GET', '/v1/domains/no.test/dns-records')).status, 404)
})
