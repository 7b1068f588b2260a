// Nobody without the operator's key learns or changes anything.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiUnderTest, adminApiKey, openApi } from './testing/api-under-test.ts'

let api: ApiUnderTest

before(async () => {
  api = await openApi()
})
after(() => api[Symbol.asyncDispose]())

const get = (url: string, authorization?: string) =>
  api.app.inject({ url, headers: authorization === undefined ? {} : { authorization } })

test('without a token every call is refused, with the challenge of RFC 6750', async () => {
  for (const url of ['/v1/domains', '/v1/accounts/a@b.test', '/v1/messages', '/v1/quarantine', '/v1/no-such-call']) {
    const answer = await get(url)
    assert.equal(answer.statusCode, 401, url)
    assert.equal(answer.headers['www-authenticate'], 'Bearer realm="Sekimori settings API"')
    assert.equal(answer.json().type, '/problems/unauthorized')
  }
})

test('a token that is not exactly the key is refused', async () => {
  const wrong = [
    'Bearer',
    'Bearer ',
    'Bearer wrong',
    `Bearer ${adminApiKey}x`,
    `Bearer ${adminApiKey.slice(0, -1)}`,
    `Bearer ${adminApiKey.toUpperCase()}`,
    `Basic ${adminApiKey}`,
    adminApiKey,
  ]
  for (const authorization of wrong) {
    const answer = await get('/v1/domains', authorization)
    assert.equal(answer.statusCode, 401, authorization)
    assert.match(String(answer.headers['www-authenticate']), /error="invalid_token"/)
  }
})

test('the key opens, however the scheme is written', async () => {
  for (const scheme of ['Bearer', 'bearer']) {
    assert.equal((await get('/v1/domains', `${scheme} ${adminApiKey}`)).statusCode, 200)
  }
})

test('a stranger changes nothing, and what is sent is not even parsed', async () => {
  const answer = await api.app.inject({
    method: 'POST',
    url: '/v1/domains',
    headers: { 'content-type': 'application/json' },
    payload: '{ not JSON',
  })
  assert.equal(answer.statusCode, 401)
  assert.deepEqual((await api.call('GET', '/v1/domains')).body.items, [])
})

test('the documentation is open to all', async () => {
  for (const url of ['/documentation/json', '/documentation/', '/problems/invalid']) {
    assert.equal((await get(url)).statusCode, 200, url)
  }
})
