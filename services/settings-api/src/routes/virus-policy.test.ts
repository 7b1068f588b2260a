// A domain's policy for mail that can't be checked, as an operator sets it.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

const path = '/v1/domains/a.test/virus-policy'
const standard = { action: 'deliver', notice: false }
let api: ApiUnderTest

before(async () => {
  api = await openApi()
  for (const name of ['a.test', 'b.test']) await api.call('POST', '/v1/domains', { name })
})
after(() => api[Symbol.asyncDispose]())

test('a policy is shown, and changed in what is named', async () => {
  const before = { encrypted: standard, depth: standard, size: standard, time: standard, damaged: standard }
  assert.deepEqual((await api.call('GET', path)).body, { unscannable: before })
  await api.call('PATCH', path, { unscannable: { encrypted: { action: 'hold' }, depth: { notice: true } } })
  const { status, body } = await api.call('PATCH', path, { unscannable: { encrypted: { notice: true } } })
  const now = { ...before, encrypted: { action: 'hold', notice: true }, depth: { action: 'deliver', notice: true } }
  assert.deepEqual([status, body], [200, { unscannable: now }])
  assert.deepEqual((await api.call('GET', '/v1/domains/A.TEST/virus-policy')).body, { unscannable: now })
  assert.deepEqual((await api.call('GET', '/v1/domains/b.test/virus-policy')).body, { unscannable: before })
})

test('what is no policy changes nothing, and is named in both languages', async () => {
  const before = (await api.call('GET', path)).body
  const wrong = [
    {},
    { unscannable: { encrypted: { action: 'drop' } } },
    { unscannable: { encrypted: { action: 'hold', note: true } } },
    { unscannable: { password: { action: 'hold' } } },
    { unscannable: { size: { notice: 'yes' } } },
    { infected: { action: 'deliver' } },
  ]
  for (const body of wrong) {
    const answer = await api.call('PATCH', path, body)
    assert.equal(answer.status, 422, JSON.stringify(body))
    assert.ok(answer.body.errors.length > 0 && answer.body.errors[0].detailJa)
  }
  assert.deepEqual((await api.call('GET', path)).body, before)
})

test('a domain that is not here has no policy; one that is removed takes it along', async () => {
  for (const method of ['GET', 'PATCH'] as const) {
    const answer = await api.call(
      method,
      '/v1/domains/no.test/virus-policy',
      method === 'GET' ? undefined : { unscannable: {} },
    )
    assert.deepEqual([answer.status, answer.body.type], [404, '/problems/not-found'])
  }
  await api.call('PATCH', '/v1/domains/b.test/virus-policy', { unscannable: { size: { action: 'refuse' } } })
  assert.equal((await api.call('DELETE', '/v1/domains/b.test')).status, 204)
})
