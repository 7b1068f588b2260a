// The settings API from outside: who may call, where it is documented, and where a mail is.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { composeMail, fieldOf } from '@sekimori/testing/mail-text'
import { callApi } from '@sekimori/testing/settings-client'
import { sharedStack } from '@sekimori/testing/shared-stack'

test('every call below /v1 needs the operator key: 401 without, with a wrong one, and for paths that do not exist', async () => {
  const { endpoints, api } = await sharedStackWithApi()
  const { body } = await api('GET', '/documentation/json')
  const paths = Object.entries(body.paths as Record<string, object>).filter(([path]) => path.startsWith('/v1/'))
  assert.ok(paths.length >= 10)
  for (const token of [undefined, '', 'wrong', `${endpoints.adminApiKey}x`, endpoints.adminApiKey.slice(0, -1)])
    for (const [path, methods] of [...paths, ['/v1/nothing', { get: {} }] as const])
      for (const method of Object.keys(methods)) {
        const answer = await callApi(endpoints.settingsApi, token, method.toUpperCase() as 'GET', path)
        assert.equal(answer.status, 401, `${method} ${path} with ${token}`)
        assert.equal(answer.body.items, undefined)
      }
})

async function sharedStackWithApi() {
  const stack = await sharedStack()
  return { endpoints: stack.endpoints, api: stack.api.bind(stack) }
}

test('the OpenAPI description and its pages are served at /documentation', async () => {
  const { endpoints } = await sharedStack()
  const page = await callApi(endpoints.settingsApi, undefined, 'GET', '/documentation')
  assert.equal(page.status, 200)
  assert.match(page.headers.get('content-type') ?? '', /text\/html/)
  const { body } = await callApi(endpoints.settingsApi, undefined, 'GET', '/documentation/json')
  assert.match(body.openapi, /^3\./)
  for (const path of ['/v1/domains', '/v1/accounts', '/v1/accounts/{address}/preferences', '/v1/lists', '/v1/messages'])
    assert.ok(path in body.paths, path)
})

test('the trace tells by queue id what every stage did and where the mail of each recipient ended', async () => {
  const stack = await sharedStack()
  const [alice, bob] = [await stack.createMailbox(), await stack.createMailbox()]
  const remote = `friend@${stack.createRemoteDomain()}`
  const mail = composeMail({ from: alice.address, to: bob.address, body: 'words that are nobody else’s business\r\n' })
  const queueId = await stack.submit(alice, [bob.address, remote], mail)
  await stack.ended(queueId, 2)
  const { body } = await stack.api('GET', `/v1/messages?queueId=${queueId}`)
  const ends = Object.fromEntries(body.items.map((item: { recipient: string }) => [item.recipient, item]))
  assert.equal(ends[bob.address].outcome, 'delivered')
  assert.equal(ends[remote].outcome, 'sent')
  for (const end of [ends[bob.address], ends[remote]]) {
    assert.equal(end.mailFrom, alice.address)
    assert.equal(end.account, alice.address)
    assert.equal(end.messageId, fieldOf(mail, 'Message-ID'))
    const stages = end.history.map(({ stage }: { stage: string }) => stage)
    assert.deepEqual(stages.slice(0, 3), ['submission', 'scan', 'sign'])
  }
  assert.doesNotMatch(JSON.stringify(body), /nobody else/)
  for (const query of [`messageId=${encodeURIComponent(fieldOf(mail, 'Message-ID'))}`, `address=${remote}`]) {
    const found = (await stack.api('GET', `/v1/messages?${query}`)).body.items
    assert.ok(
      found.some((item: { queueId: string }) => item.queueId === queueId),
      query,
    )
  }
})

test('a domain gets its DKIM keys when it is made, with the records to publish', async () => {
  const stack = await sharedStack()
  assert.equal((await stack.api('POST', '/v1/domains', { name: 'keys.example' })).status, 201)
  const { body } = await stack.api('GET', '/v1/domains/keys.example/dkim-keys')
  const algorithms = body.items.map(({ algorithm }: { algorithm: string }) => algorithm)
  assert.deepEqual(algorithms.sort(), ['ed25519-sha256', 'rsa-sha256'])
  for (const key of body.items) {
    assert.equal(key.dnsName, `${key.selector}._domainkey.keys.example`)
    assert.match(key.dnsRecord, /^v=DKIM1; k=(rsa|ed25519); p=[A-Za-z0-9+/]+=*$/)
    assert.equal(key.dnsTxtStrings.join(''), key.dnsRecord)
  }
  assert.doesNotMatch(JSON.stringify(body), /PRIVATE/)
})

test('S2-02 the SPF, DKIM, DMARC and MX records to publish are shown for a domain', async () => {
  const stack = await sharedStack()
  const { body } = await stack.api('GET', '/v1/domains/example.test/dns-records')
  const shown = body.items.map(({ purpose, name }: { purpose: string; name: string }) => `${purpose} ${name}`)
  for (const expected of ['mx example.test', 'spf example.test', 'dmarc _dmarc.example.test'])
    assert.ok(shown.includes(expected))
  assert.equal(shown.filter((line: string) => line.startsWith('dkim ')).length, 2)
})
