// Warning suspensions as an operator makes, reads and ends them (S1-26).
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { newQueueId } from '@sekimori/mail/queue-id'
import { decideWarnings } from '@sekimori/store/warning-decision'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

const PATH = '/v1/warning-suspensions'
const BODY = { scope: 'domain', value: 'Example.TEST', reason: '第三者に影響', createdBy: 'sato' }
let api: ApiUnderTest

before(async () => {
  api = await openApi()
  await api.addAccounts('bob@example.test')
})
after(() => api[Symbol.asyncDispose]())
beforeEach(() => api.database.query('delete from warning_suspension'))

async function infect(): Promise<void> {
  const session = { receivedBy: 'mx' as const }
  const envelope = { mailFrom: '', recipients: [] }
  const job = { queueId: newQueueId(), direction: 'inbound' as const, acceptedAt: 0, envelope, session }
  const mail = { job: { ...job, added: [], struck: [], history: [] }, signature: 'V', senders: [] }
  const limits = { perHour: 100, summaryAfterMs: 1 }
  await decideWarnings(api.database, mail, [{ address: 'bob@example.test', isListMember: false }], limits)
}

test('S1-26 a suspension is made, shown with its count, listed, ended and removed', async () => {
  const endsAt = new Date(Date.now() + 3_600_000).toISOString()
  const made = await api.call('POST', PATH, { ...BODY, endsAt })
  assert.equal(made.status, 201)
  const { id, createdAt, ...rest } = made.body
  assert.equal(made.headers.location, `${PATH}/${id}`)
  assert.ok(Math.abs(Date.parse(createdAt) - Date.now()) < 60_000)
  assert.deepEqual(rest, { ...BODY, value: 'example.test', endsAt, isActive: true, suppressed: 0 })
  await infect()
  assert.equal((await api.call('GET', `${PATH}/${id}`)).body.suppressed, 1)
  const ended = await api.call('PATCH', `${PATH}/${id}`, { endsAt: 'now' })
  assert.deepEqual([ended.status, ended.body.isActive, ended.body.suppressed], [200, false, 1])
  await infect()
  assert.deepEqual((await api.call('GET', PATH)).body.items, [ended.body])
  assert.equal((await api.call('DELETE', `${PATH}/${id}`)).status, 204)
  assert.equal((await api.call('GET', `${PATH}/${id}`)).status, 404)
})

test('S1-26 the trace lists what was kept back, with the id of the suspension, also after that is removed', async () => {
  const { id } = (await api.call('POST', PATH, BODY)).body
  await infect()
  await api.call('DELETE', `${PATH}/${id}`)
  const [end] = (await api.call('GET', '/v1/messages?outcome=suspended')).body.items
  assert.deepEqual([end.recipient, end.stage, end.detail], ['bob@example.test', 'warning', `suspension ${id}`])
})

test('S1-26 its end can be set and taken away while it is in force, not afterwards', async () => {
  const { id } = (await api.call('POST', PATH, { scope: 'all', reason: 'r', createdBy: 'c' })).body
  const endsAt = new Date(Date.now() + 60_000).toISOString()
  assert.equal((await api.call('PATCH', `${PATH}/${id}`, { endsAt })).body.endsAt, endsAt)
  const open = (await api.call('PATCH', `${PATH}/${id}`, { endsAt: null })).body
  assert.deepEqual([open.endsAt, open.isActive], [undefined, true])
  await api.call('PATCH', `${PATH}/${id}`, { endsAt: 'now' })
  const again = await api.call('PATCH', `${PATH}/${id}`, { endsAt: null })
  assert.deepEqual([again.status, again.body.type], [409, '/problems/suspension-over'])
  assert.match(again.body.detailJa, /既に終了しています/)
})

test('the listing tells those in force from those that are over, page by page', async () => {
  const ids: string[] = []
  for (let i = 0; i < 3; i++) ids.push((await api.call('POST', PATH, BODY)).body.id)
  await api.call('PATCH', `${PATH}/${ids[1]}`, { endsAt: 'now' })
  const idsOf = async (query: string) =>
    (await api.call('GET', `${PATH}?${query}`)).body.items.map((item: { id: string }) => item.id)
  assert.deepEqual(await idsOf('active=true'), [ids[2], ids[0]])
  assert.deepEqual(await idsOf('active=false'), [ids[1]])
  const { nextCursor } = (await api.call('GET', `${PATH}?limit=2`)).body
  assert.deepEqual(await idsOf(`limit=2&cursor=${nextCursor}`), [ids[0]])
})

test('what is no suspension is refused in both languages, and makes none', async () => {
  const { reason, createdBy } = BODY
  const wrong = {
    '/scope': [
      { ...BODY, scope: 'everything' },
      { value: 'x.test', reason, createdBy },
    ],
    '/value': [
      { scope: 'all', value: 'x.test', reason, createdBy },
      { scope: 'domain', reason, createdBy },
      { ...BODY, value: 'no domain' },
      { ...BODY, scope: 'address' },
      { ...BODY, scope: 'sender', value: 'x' },
      { ...BODY, scope: 'signature', value: 'a\nb' },
    ],
    '/reason': [{ ...BODY, reason: '' }],
    '/createdBy': [{ ...BODY, createdBy: undefined }],
    '/endsAt': [
      { ...BODY, endsAt: '2020-01-01T00:00:00Z' },
      { ...BODY, endsAt: 'soon' },
      { ...BODY, endsAt: '2016-12-31T23:59:60Z' },
    ],
    '/more': [{ ...BODY, more: 1 }],
  }
  for (const [pointer, bodies] of Object.entries(wrong)) {
    for (const body of bodies) {
      const answer = await api.call('POST', PATH, body)
      assert.equal(answer.status, 422, JSON.stringify(body))
      assert.ok(
        answer.body.errors.some((fault: { pointer: string }) => fault.pointer === pointer),
        pointer,
      )
      assert.match(answer.body.detailJa, /\p{Script=Hiragana}/u)
    }
  }
  assert.deepEqual((await api.call('GET', PATH)).body.items, [])
})

test('a change that is none is refused', async () => {
  const { id } = (await api.call('POST', PATH, BODY)).body
  for (const body of [{}, { endsAt: 'later' }, { endsAt: '2020-01-01T00:00:00Z' }, { endsAt: 'now', reason: 'x' }])
    assert.equal((await api.call('PATCH', `${PATH}/${id}`, body)).status, 422, JSON.stringify(body))
  for (const missing of ['0', 'x', '99999999999999999999999', '%00'])
    for (const method of ['GET', 'DELETE'] as const)
      assert.equal((await api.call(method, `${PATH}/${missing}`)).status, 404, missing)
  assert.equal((await api.call('PATCH', `${PATH}/0`, { endsAt: 'now' })).status, 404)
})
