// App passwords as an operator, or the portal for an owner, manages them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openLogin } from '@sekimori/login/login'
import { eventually } from '@sekimori/testing/eventually'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

const path = '/v1/accounts/alice@example.test/app-passwords'
const clientAddress = '192.0.2.1'
let api: ApiUnderTest
before(async () => {
  api = await openApi()
  await api.addAccounts('alice@example.test', 'bob@example.test')
})
after(() => api[Symbol.asyncDispose]())

test('an app password is shown once, works for its services and its account only, and its use is seen', async () => {
  const { status, body, headers } = await api.call('POST', path, { name: '携帯電話', services: ['pop3'] })
  assert.equal(status, 201)
  assert.equal(headers['cache-control'], 'no-store')
  assert.match(body.password, /^([a-z2-9]{4}-){4}[a-z2-9]{4}$/)
  const { password, ...shown } = body
  assert.deepEqual((await api.call('GET', path)).body, { items: [shown] })
  assert.equal(shown.lastUsed, undefined)

  const login = await openLogin(api.database)
  const comesTo = async (address: string, service: 'smtp' | 'pop3', text = password) =>
    (await login({ address, password: text, clientAddress, service })).kind
  assert.equal(await comesTo('alice@example.test', 'pop3'), 'ok')
  assert.equal(await comesTo('alice@example.test', 'pop3', password.replaceAll('-', ' ').toUpperCase()), 'ok')
  assert.equal(await comesTo('alice@example.test', 'smtp'), 'refused')
  assert.equal(await comesTo('bob@example.test', 'pop3'), 'refused')
  assert.equal(await comesTo('alice@example.test', 'smtp', 'correct horse'), 'ok')
  const { lastUsed } = (await api.call('GET', path)).body.items[0]
  assert.equal(lastUsed.for, 'pop3')
  assert.ok(Date.now() - Date.parse(lastUsed.at) < 60_000)
})

test('its use is written at most every five minutes', async () => {
  const { body } = await api.call('POST', path, { name: 'often' })
  const attempt = { address: 'alice@example.test', password: body.password, service: 'pop3' } as const
  const version = async () => {
    const text = 'select xmin::text as version from app_password where id = $1'
    return (await api.database.query<{ version: string }>(text, [body.id])).rows[0]!.version
  }
  const unused = await version()
  await (await openLogin(api.database))({ ...attempt, clientAddress })
  const used = await version()
  assert.notEqual(used, unused)
  await (await openLogin(api.database))({ ...attempt, clientAddress })
  assert.equal(await version(), used)
})

test('one that is taken back is refused at once, and the others stay', async () => {
  const [lost, kept] = [await api.call('POST', path, { name: 'lost' }), await api.call('POST', path, { name: 'kept' })]
  const login = await openLogin(api.database)
  const comesTo = async (password: string) =>
    (await login({ address: 'alice@example.test', password, clientAddress, service: 'smtp' })).kind
  for (const { body } of [lost, kept]) assert.equal(await comesTo(body.password), 'ok')
  assert.equal((await api.call('DELETE', `/v1/accounts/bob@example.test/app-passwords/${lost.body.id}`)).status, 404)
  assert.equal((await api.call('DELETE', `${path}/${lost.body.id}`)).status, 204)
  await eventually(async () => (await comesTo(lost.body.password)) === 'refused')
  assert.equal(await comesTo(kept.body.password), 'ok')
  assert.equal((await api.call('DELETE', `${path}/${lost.body.id}`)).status, 404)
  assert.equal((await api.call('DELETE', `${path}/x`)).status, 404)
})

test('the password itself is nowhere in the database', async () => {
  const { body } = await api.call('POST', path, { name: 'secret' })
  const { rows } = await api.database.query('select app_password::text as row from app_password')
  assert.ok(!JSON.stringify(rows).includes(body.password.replaceAll('-', '')))
  assert.ok(!JSON.stringify(rows).includes(body.password))
})

test('an account that is removed takes them along; names, services and their number have bounds', async () => {
  await api.addAccounts('carol@example.test')
  const hers = '/v1/accounts/carol@example.test/app-passwords'
  for (const body of [
    { name: '' },
    { name: 'x', services: [] },
    { name: 'x', services: ['imap'] },
    { name: 'a\nb' },
    {},
  ])
    assert.equal((await api.call('POST', hers, body)).status, 422, JSON.stringify(body))
  for (let count = 0; count < 50; count++)
    assert.equal((await api.call('POST', hers, { name: `${count}` })).status, 201)
  const refused = await api.call('POST', hers, { name: 'one more' })
  assert.equal(refused.status, 409)
  assert.equal(refused.body.type, '/problems/too-many-app-passwords')
  assert.equal((await api.call('DELETE', '/v1/accounts/carol@example.test')).status, 204)
  assert.equal((await api.call('GET', hers)).status, 404)
  await api.addAccounts('carol@example.test')
  assert.deepEqual((await api.call('GET', hers)).body, { items: [] })
})
