// An account whose sending was stopped, as an operator sees it and lets it send again.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { newQueueId } from '@sekimori/mail/queue-id'
import { countInfected } from '@sekimori/store/sending-stop'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

const PATH = '/v1/accounts/alice@example.test'
let api: ApiUnderTest

before(async () => {
  api = await openApi()
  await api.addAccounts('alice@example.test')
})
after(() => api[Symbol.asyncDispose]())

test('a stopped account is shown with time and reason, and sends again when an operator says so', async () => {
  assert.equal((await api.call('GET', PATH)).body.sendingStopped, undefined)
  const job = {
    queueId: newQueueId(),
    direction: 'submission' as const,
    acceptedAt: Date.now(),
    envelope: { mailFrom: 'alice@example.test', recipients: [] },
    session: { receivedBy: 'submission' as const, account: 'alice@example.test' },
    added: [],
    struck: [],
    history: [],
  }
  await countInfected(api.database, job, { mails: 1, windowMinutes: 10 })
  const { at, reason } = (await api.call('GET', PATH)).body.sendingStopped
  assert.ok(Math.abs(Date.parse(at) - Date.now()) < 60_000)
  assert.equal(reason, `1 infected mails within 10 minutes, the last one ${job.queueId}`)
  assert.deepEqual((await api.call('GET', '/v1/accounts')).body.items[0].sendingStopped, { at, reason })
  assert.notEqual((await api.call('PATCH', PATH, { locale: 'en' })).body.sendingStopped, undefined)
  assert.equal((await api.call('PATCH', PATH, { sendingStopped: { at, reason } })).status, 422)
  const lifted = await api.call('PATCH', PATH, { sendingStopped: null })
  assert.deepEqual([lifted.status, lifted.body.sendingStopped], [200, undefined])
  assert.equal((await api.call('GET', PATH)).body.sendingStopped, undefined)
})
