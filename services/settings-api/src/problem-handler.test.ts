// Whatever goes wrong is answered as problem details in both languages, and never with internals.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Database } from '@sekimori/store/database'
import { type ApiUnderTest, adminApiKey, openApi } from './testing/api-under-test.ts'

const secret = 'a detail of the inside'
let failure: Error | undefined
let api: ApiUnderTest

/** The database, which fails while `failure` is set. */
function failing(database: Database): Database {
  return {
    query: (text, values) => (failure === undefined ? database.query(text, values) : Promise.reject(failure)),
    transaction: (work) => (failure === undefined ? database.transaction(work) : Promise.reject(failure)),
    onDirectoryChange: (listener) => database.onDirectoryChange(listener),
    hearsChanges: () => database.hearsChanges(),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}

before(async () => {
  api = await openApi(failing)
})
after(() => api[Symbol.asyncDispose]())

async function post(url: string, payload: string, contentType = 'application/json') {
  const headers = { authorization: `Bearer ${adminApiKey}`, 'content-type': contentType }
  return api.app.inject({ method: 'POST', url, headers, payload })
}

test('a problem has one shape and one media type', async () => {
  const answer = await post('/v1/domains', '{"name": "no domain"}')
  assert.equal(answer.statusCode, 422)
  assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
  assert.deepEqual(answer.json(), {
    type: '/problems/invalid',
    status: 422,
    title: 'The values are not valid',
    titleJa: '値が正しくありません',
    detail: 'The value at /name is not a domain name.',
    detailJa: '/name の値: ドメイン名ではありません。',
    errors: [{ pointer: '/name', detail: 'is not a domain name', detailJa: 'ドメイン名ではありません' }],
  })
})

test('its type leads to an explanation', async () => {
  const explained = await api.app.inject('/problems/invalid')
  assert.equal(explained.json().titleJa, '値が正しくありません')
  assert.equal((await api.app.inject('/problems/constructor')).statusCode, 404)
})

test('all faults of a body are named, and no value of it is repeated', async () => {
  const answer = await post('/v1/accounts', '{"password": "geheim", "locale": "fr", "adress": "a@b.test"}')
  assert.equal(answer.statusCode, 422)
  const pointers = answer.json().errors.map((fault: { pointer: string }) => fault.pointer)
  assert.deepEqual(pointers.sort(), ['/address', '/adress', '/locale', '/password'])
  assert.doesNotMatch(answer.payload, /geheim/)
})

test('values are not converted: a text is no boolean', async () => {
  await api.addAccounts('alice@example.test')
  const path = '/v1/accounts/alice@example.test/preferences'
  assert.equal((await api.call('PATCH', path, { virusWarning: 'false' })).status, 422)
  assert.deepEqual((await api.call('GET', path)).body, { virusWarning: true })
})

test('what can not be parsed is a bad request', async () => {
  for (const payload of ['{', '', '{"__proto__": {"name": "a.test"}}']) {
    const answer = await post('/v1/domains', payload)
    assert.equal(answer.statusCode, 400, payload)
    assert.equal(answer.json().type, '/problems/bad-request')
  }
  for (const path of ['/v1/accounts/%E0%A4%A', '/v1/domains?limit=0', '/v1/domains?limit=x', '/v1/domains?nmae=x']) {
    assert.equal((await api.call('GET', path)).status, 400, path)
  }
})

test('a body of another type or of endless length is refused', async () => {
  assert.equal((await post('/v1/domains', 'name=a.test', 'application/x-www-form-urlencoded')).statusCode, 415)
  const answer = await post('/v1/domains', JSON.stringify({ name: 'a'.repeat(3_000_000) }))
  assert.equal(answer.statusCode, 413)
  assert.equal(answer.json().type, '/problems/too-large')
})

test('while Postgres is away the answer is 503, and work goes on afterwards', async () => {
  failure = new DependencyAway('postgres', { cause: new Error(secret) })
  for (const answer of [
    await api.call('GET', '/v1/domains'),
    await api.call('POST', '/v1/domains', { name: 'a.test' }),
  ]) {
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['retry-after'], '5')
    assert.equal(answer.body.type, '/problems/unavailable')
    assert.doesNotMatch(JSON.stringify(answer), new RegExp(secret))
  }
  failure = undefined
  assert.equal((await api.call('GET', '/v1/domains')).status, 200)
})

test('a failure of our own shows nothing but the id under which it is logged', async () => {
  failure = Object.assign(new Error(secret), { code: '42601', statusCode: 500 })
  const answer = await api.call('GET', '/v1/domains')
  failure = undefined
  assert.equal(answer.status, 500)
  assert.match(answer.body.instance, /^urn:uuid:[0-9a-f-]{36}$/)
  assert.doesNotMatch(JSON.stringify(answer), new RegExp(`${secret}|42601|Error`))
})

test('cursors that the listing did not give out are refused', async () => {
  const cursors = ['x', 'W10', Buffer.from('["a\\u0000b"]').toString('base64url'), 'bnVsbA', 'eyJsZW5ndGgiOjF9']
  for (const cursor of cursors)
    assert.equal((await api.call('GET', `/v1/accounts?cursor=${cursor}`)).status, 400, cursor)
  const wrongTime = Buffer.from('["soon","q","inbound"]').toString('base64url')
  assert.equal((await api.call('GET', `/v1/quarantine?cursor=${wrongTime}`)).status, 400)
})
