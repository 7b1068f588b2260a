// An account's sending limits: the settings' own, changed for one account, taken back.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { UsageCounter } from '@sekimori/store/usage-counter'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

const PATH = '/v1/accounts/alice@example.test/sending-limits'
let api: ApiUnderTest
before(async () => {
  api = await openApi()
  await api.addAccounts('alice@example.test')
})
after(() => api[Symbol.asyncDispose]())

test('limits are the settings’ unless changed, with what is used of them', async () => {
  {
    await using usage = new UsageCounter(api.database)
    await usage.spend([{ kind: 'recipients-day', subject: 'alice@example.test', amount: 7, limit: 50 }])
  }
  const { body } = await api.call('GET', PATH)
  assert.deepEqual(body.recipientsPerDay, { limit: 50, isOwn: false, used: 7 })
  assert.deepEqual(body.maxMessageBytes, { limit: 50_000, isOwn: false })
  const changed = await api.call('PATCH', PATH, { recipientsPerDay: 500, mailsPerHour: 0 })
  assert.deepEqual(changed.body.recipientsPerDay, { limit: 500, isOwn: true, used: 7 })
  assert.deepEqual(changed.body.mailsPerHour, { limit: 0, isOwn: true, used: 0 })
  const back = await api.call('PATCH', PATH, { recipientsPerDay: null })
  assert.deepEqual(back.body.recipientsPerDay, { limit: 50, isOwn: false, used: 7 })
  assert.equal(back.body.mailsPerHour.isOwn, true)
})

test('what is no limit is refused, and nobody has limits without an account', async () => {
  for (const body of [{}, { mailsPerHour: -1 }, { maxMessageBytes: 0 }, { mailsPerHour: 1.5 }, { other: 1 }])
    assert.equal((await api.call('PATCH', PATH, body)).status, 422, JSON.stringify(body))
  for (const method of ['GET', 'PATCH'] as const)
    assert.equal((await api.call(method, PATH.replace('alice', 'nobody'), { mailsPerHour: 1 })).status, 404)
})
