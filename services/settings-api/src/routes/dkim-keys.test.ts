// DKIM keys as an operator rotates them by hand: what is to be published, what DNS shows, and what may not be done.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startDnsServer } from '@sekimori/testing/dns-server'
import { type Answer, type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

interface Key {
  selector: string
  algorithm: string
  state: string
  dnsName: string
  dnsRecord: string
  toDo?: { ja: string; en: string }
}

const dns = [await startDnsServer(), await startDnsServer()] as const
let api: ApiUnderTest

before(async () => {
  api = await openApi(undefined, { dnsServers: dns.map(({ address }) => address) })
})
after(async () => {
  await api[Symbol.asyncDispose]()
  for (const server of dns) await server[Symbol.asyncDispose]()
})

async function rotating(name: string): Promise<{ path: string; pending: Key }> {
  await api.call('POST', '/v1/domains', { name })
  const { body } = await api.call('POST', `/v1/domains/${name}/dkim-keys`)
  const pending = body.items.find((key: Key) => key.state === 'pending' && key.algorithm === 'rsa-sha256')
  return { path: `/v1/domains/${name}/dkim-keys`, pending }
}

const results = ({ body }: Answer) => body.servers.map(({ result }: { result: string }) => result)

test('a rotation begins with one pending key of each algorithm, however often it is asked for', async () => {
  const { path } = await rotating('begun.test')
  const again = await api.call('POST', path)
  assert.equal(again.status, 201)
  assert.deepEqual(again.body.items.map((key: Key) => `${key.algorithm} ${key.state}`).sort(), [
    'ed25519-sha256 active',
    'ed25519-sha256 pending',
    'rsa-sha256 active',
    'rsa-sha256 pending',
  ])
  const records = (await api.call('GET', '/v1/domains/begun.test/dns-records')).body.items
  assert.equal(records.filter((record: { purpose: string }) => record.purpose === 'dkim').length, 4)
  for (const key of again.body.items) {
    assert.match(key.toDo.en, /^Publish the TXT record/)
    assert.match(key.toDo.ja, /公開してください/)
  }
  assert.equal((await api.call('POST', '/v1/domains/no.test/dkim-keys')).status, 404)
})

test('a key is activated only when every DNS server shows it; the one before is retiring', async () => {
  const { path, pending } = await rotating('activated.test')
  const activate = () => api.call('POST', `${path}/${pending.selector}/activate`)
  const refused = await activate()
  assert.deepEqual([refused.status, refused.body.type], [409, '/problems/dkim-key-state'])
  dns[0].set(pending.dnsName, 'TXT', [pending.dnsRecord])
  assert.equal((await activate()).status, 409)
  const look = await api.call('GET', `${path}/${pending.selector}/dns`)
  assert.deepEqual([look.body.isShown, results(look)], [false, ['matches', 'missing']])
  dns[1].set(pending.dnsName, 'TXT', [pending.dnsRecord])
  const activated = await activate()
  assert.deepEqual([activated.status, activated.body.state, activated.body.shown], [200, 'active', 'matches'])
  assert.equal(activated.body.toDo, undefined)
  const states = (await api.call('GET', path)).body.items.map((key: Key) => `${key.algorithm} ${key.state}`)
  assert.ok(states.includes('rsa-sha256 retiring'))
  assert.ok(states.includes('ed25519-sha256 active'))
})

test('what DNS shows is told in words: another key, several records, an alias, no answer', async () => {
  const { path, pending } = await rotating('shown.test')
  const look = () => api.call('GET', `${path}/${pending.selector}/dns`)
  for (const server of dns) server.set(pending.dnsName, 'TXT', ['v=DKIM1; k=rsa; p=QUJD'])
  const other = await look()
  assert.deepEqual(results(other), ['differs', 'differs'])
  assert.deepEqual(other.body.servers[0].records, ['v=DKIM1; k=rsa; p=QUJD'])
  assert.match(other.body.servers[0].text.en, /another key/)
  for (const server of dns) server.set(pending.dnsName, 'TXT', [pending.dnsRecord, 'more'])
  assert.match((await look()).body.servers[0].text.en, /more than one TXT record/)
  for (const server of dns) {
    server.delete(pending.dnsName, 'TXT')
    server.set(pending.dnsName, 'CNAME', ['s1.provider.test'])
    server.set('s1.provider.test', 'TXT', [pending.dnsRecord])
  }
  const alias = await look()
  assert.deepEqual([alias.body.isShown, alias.body.alias], [true, 's1.provider.test'])
  dns[1].fail(pending.dnsName, 'SERVFAIL')
  assert.deepEqual(results(await look()), ['matches', 'unknown'])
})

test('the only key that signs is not retired; a retired one is never activated', async () => {
  const { path, pending } = await rotating('retired.test')
  const retire = (selector: string) => api.call('POST', `${path}/${selector}/retire`)
  assert.equal((await retire(pending.selector)).body.state, 'retired')
  for (const server of dns) server.set(pending.dnsName, 'TXT', [pending.dnsRecord])
  const revived = await api.call('POST', `${path}/${pending.selector}/activate`)
  assert.deepEqual([revived.status, revived.body.type], [409, '/problems/dkim-key-state'])
  const active = (await api.call('GET', path)).body.items.filter((key: Key) => key.state === 'active')
  assert.equal((await retire(active[0].selector)).body.state, 'retiring')
  assert.equal((await retire(active[1].selector)).status, 409)
  assert.equal((await retire('no-such')).status, 404)
})
