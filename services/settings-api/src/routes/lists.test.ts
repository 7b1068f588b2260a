// Mailing lists, as an operator manages them.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

let api: ApiUnderTest

before(async () => {
  api = await openApi()
  await api.addAccounts('alice@example.test', 'bob@example.test', 'carol@example.test')
})
after(() => api[Symbol.asyncDispose]())

test('a list is added, shown, listed, changed and removed', async () => {
  const body = { address: 'Staff@example.test', name: '社員', members: ['bob@example.test', 'ALICE@example.test'] }
  const added = await api.call('POST', '/v1/lists', body)
  assert.equal(added.status, 201)
  assert.equal(added.headers.location, '/v1/lists/staff%40example.test')
  const { members, createdAt, ...list } = added.body
  assert.deepEqual(members, ['alice@example.test', 'bob@example.test'])
  assert.deepEqual(list, { address: 'staff@example.test', domain: 'example.test', name: '社員', memberCount: 2 })
  assert.deepEqual((await api.call('GET', '/v1/lists/staff@example.test')).body, added.body)
  assert.deepEqual((await api.call('GET', '/v1/lists?domain=example.test')).body.items, [{ ...list, createdAt }])
  const changed = await api.call('PUT', '/v1/lists/staff@example.test/members', { members: ['carol@example.test'] })
  assert.deepEqual(changed.body.members, ['carol@example.test'])
  assert.equal((await api.call('DELETE', '/v1/lists/staff@example.test')).status, 204)
  assert.equal((await api.call('DELETE', '/v1/lists/staff@example.test')).status, 404)
  assert.equal((await api.call('GET', '/v1/lists/staff@example.test')).status, 404)
})

test('a list without a name is called by its address', async () => {
  const added = await api.call('POST', '/v1/lists', { address: 'plain@example.test', members: ['bob@example.test'] })
  assert.equal(added.body.name, 'plain@example.test')
})

test('members who are not accounts here are named, with their places', async () => {
  const members = ['bob@example.test', 'x@elsewhere.test', 'nobody@example.test']
  const answers = [
    await api.call('POST', '/v1/lists', { address: 'mixed@example.test', members }),
    await api.call('PUT', '/v1/lists/plain@example.test/members', { members }),
  ]
  for (const { status, body } of answers) {
    assert.deepEqual([status, body.type], [422, '/problems/unknown-members'])
    assert.match(body.detailJa, /x@elsewhere\.test, nobody@example\.test/)
    const pointers = body.errors.map((fault: { pointer: string }) => fault.pointer)
    assert.deepEqual(pointers, ['/members/1', '/members/2'])
  }
  assert.equal((await api.call('GET', '/v1/lists/mixed@example.test')).status, 404)
})

test('a list has members, an address that is free, and a name of one line', async () => {
  const good = { address: 'good@example.test', members: ['bob@example.test'] }
  const status = async (change: object) => (await api.call('POST', '/v1/lists', { ...good, ...change })).status
  assert.equal(await status({ members: [] }), 422)
  assert.equal(await status({ members: ['no address'] }), 422)
  assert.equal(await status({ name: 'two\r\nX-Injected: lines' }), 422)
  assert.equal(await status({ address: 'alice@example.test' }), 409)
  assert.equal(await status({ address: 'list@nowhere.test' }), 422)
  assert.equal(await status({}), 201)
  assert.equal((await api.call('PUT', '/v1/lists/good@example.test/members', { members: [] })).status, 422)
  const unknown = { members: ['bob@example.test'] }
  assert.equal((await api.call('PUT', '/v1/lists/no@example.test/members', unknown)).status, 404)
})
