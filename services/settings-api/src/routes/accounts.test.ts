// Accounts and their preferences, as an operator manages them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openLogin } from '@sekimori/login/login'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

const password = 'correct horse'
let api: ApiUnderTest

before(async () => {
  api = await openApi()
  await api.call('POST', '/v1/domains', { name: 'example.test' })
})
after(() => api[Symbol.asyncDispose]())

test('an account is added, shown and removed, and its password is never told', async () => {
  const added = await api.call('POST', '/v1/accounts', { address: 'Alice@Example.TEST', password })
  assert.equal(added.status, 201)
  assert.equal(added.headers.location, '/v1/accounts/alice%40example.test')
  const { createdAt, ...account } = added.body
  assert.deepEqual(account, { address: 'alice@example.test', domain: 'example.test', locale: 'ja' })
  assert.ok(Date.parse(createdAt) > 0)
  assert.deepEqual((await api.call('GET', String(added.headers.location))).body, added.body)
  assert.equal((await api.call('DELETE', '/v1/accounts/alice@example.test')).status, 204)
  for (const method of ['GET', 'DELETE'] as const) {
    assert.equal((await api.call(method, '/v1/accounts/alice@example.test')).status, 404)
  }
})

test('an address beyond ASCII is reached by percent-encoded UTF-8, however long', async () => {
  const domain = `${'a'.repeat(60)}.${'b'.repeat(60)}.test`
  const address = `${'関'.repeat(64)}@${domain}`
  await api.call('POST', '/v1/domains', { name: domain })
  assert.equal((await api.call('POST', '/v1/accounts', { address, password })).status, 201)
  const path = `/v1/accounts/${encodeURIComponent(address)}`
  assert.equal((await api.call('GET', path)).body.address, address)
  assert.equal((await api.call('GET', `${path}/preferences`)).status, 200)
})

test('what is no address is not added', async () => {
  const addresses = ['alice', '@example.test', 'a b@example.test', 'a..b@example.test', 'a@example.test/x', 'a@1234']
  for (const address of addresses) {
    const answer = await api.call('POST', '/v1/accounts', { address, password })
    assert.equal(answer.status, 422, address)
    assert.equal(answer.body.errors[0].pointer, '/address')
  }
  assert.equal((await api.call('GET', '/v1/accounts/a%00b@example.test')).status, 404)
})

test('an account in a domain that is not here is not added, and the answer says what to do', async () => {
  const answer = await api.call('POST', '/v1/accounts', { address: 'alice@nowhere.test', password })
  assert.deepEqual([answer.status, answer.body.type], [422, '/problems/unknown-domain'])
  assert.match(answer.body.detail, /POST \/v1\/domains/)
})

test('an address is given once, to an account or to a list', async () => {
  await api.addAccounts('taken@example.test')
  await api.call('POST', '/v1/lists', { address: 'list@example.test', members: ['taken@example.test'] })
  for (const address of ['taken@example.test', 'TAKEN@example.test', 'list@example.test']) {
    const answer = await api.call('POST', '/v1/accounts', { address, password })
    assert.deepEqual([answer.status, answer.body.type], [409, '/problems/address-taken'], address)
  }
})

test('only passwords that a login could use are taken', async () => {
  for (const unusable of ['1234567', 'x'.repeat(1_025), '😀'.repeat(513), 'with\0a NUL', 'with\na line feed']) {
    const body = { address: 'bob@example.test', password: unusable }
    assert.equal((await api.call('POST', '/v1/accounts', body)).status, 422, unusable.slice(0, 20))
  }
  await api.addAccounts('bob@example.test')
  const longest = '😀'.repeat(512)
  assert.equal((await api.call('PATCH', '/v1/accounts/bob@example.test', { password: longest })).status, 200)
  const login = await loginTo(api)
  assert.equal(await login('bob@example.test', longest), 'ok')
  assert.equal((await api.call('PATCH', '/v1/accounts/bob@example.test', { password: `${longest}😀` })).status, 422)
})

test('password and language are changed one by one', async () => {
  await api.addAccounts('carol@example.test')
  const path = '/v1/accounts/carol@example.test'
  assert.equal((await api.call('PATCH', path, { locale: 'en' })).body.locale, 'en')
  await api.call('PATCH', path, { password: 'another password' })
  assert.equal((await api.call('GET', path)).body.locale, 'en')
  const login = await loginTo(api)
  assert.equal(await login('carol@example.test', 'another password'), 'ok')
  assert.equal(await login('carol@example.test', password), 'refused')
  assert.equal((await api.call('PATCH', path, {})).status, 422)
  assert.equal((await api.call('PATCH', '/v1/accounts/no@example.test', { locale: 'en' })).status, 404)
})

test('the last member of a list is not removed, and the list is named', async () => {
  await api.addAccounts('only@example.test')
  await api.call('POST', '/v1/lists', { address: 'lonely@example.test', members: ['only@example.test'] })
  const refused = await api.call('DELETE', '/v1/accounts/only@example.test')
  assert.deepEqual([refused.status, refused.body.type], [409, '/problems/last-member'])
  assert.match(refused.body.detail, /lonely@example\.test/)
})

test('accounts are listed page by page, of one domain', async () => {
  await api.addAccounts('a@paged.test', 'b@paged.test', 'c@paged.test', 'd@other.test')
  const pages: string[][] = []
  let cursor = ''
  do {
    const { body } = await api.call('GET', `/v1/accounts?domain=PAGED.test&limit=2${cursor}`)
    pages.push(body.items.map((account: { address: string }) => account.address))
    cursor = body.nextCursor === undefined ? '' : `&cursor=${body.nextCursor}`
  } while (cursor !== '' && pages.length < 10)
  assert.deepEqual(pages, [['a@paged.test', 'b@paged.test'], ['c@paged.test']])
  assert.equal((await api.call('GET', '/v1/accounts?domain=no%20domain')).status, 400)
})

test('S1-28 S1-30 S1-31 the virus warning is switched, confirmed in the words of the control panel, with a caution', async () => {
  await api.addAccounts('dave@example.test')
  const path = '/v1/accounts/dave@example.test/preferences'
  assert.deepEqual((await api.call('GET', path)).body, { virusWarning: true })
  const off = (await api.call('PATCH', path, { virusWarning: false })).body
  assert.equal(off.message.ja, 'ウィルスチェックの警告メールを「送信しない」に変更しました')
  assert.match(off.message.en, /"do not send"/)
  assert.match(off.caution.ja, /停止されても、そのことは通知されません/)
  assert.match(off.caution.en, /will not learn of mail that was stopped/)
  assert.deepEqual((await api.call('GET', path)).body, { virusWarning: false })
  const on = (await api.call('PATCH', path, { virusWarning: true })).body
  assert.equal(on.message.ja, 'ウィルスチェックの警告メールを「送信する」に変更しました')
  assert.equal(on.caution, undefined)
  for (const method of ['GET', 'PATCH'] as const) {
    const body = method === 'GET' ? undefined : { virusWarning: true }
    assert.equal((await api.call(method, '/v1/accounts/no@example.test/preferences', body)).status, 404)
  }
})

/** What a mail client's login comes to. */
async function loginTo({ database }: ApiUnderTest): Promise<(address: string, password: string) => Promise<string>> {
  const login = await openLogin(database)
  return async (address, password) =>
    (await login({ address, password, clientAddress: '192.0.2.1', service: 'pop3' })).kind
}
