// The quarantine, as an operator sees it, decides about it, and is seen doing so.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, before, beforeEach, test } from 'node:test'
import type { Job } from '@sekimori/mail/job'
import { type Part, setAside } from '@sekimori/store/quarantine'
import { apiKeyId } from '../authentication.ts'
import { type ApiUnderTest, adminApiKey, openApi } from '../testing/api-under-test.ts'

const recipients = [{ address: 'bob@example.test' }]
const infected: Part = { kind: 'infected', signature: 'Eicar-Test', recipients }
const held: Part = { kind: 'held', reason: 'encrypted', recipients }
const content = 'the infected mail itself'
let api: ApiUnderTest

const job: Omit<Job, 'queueId'> = {
  direction: 'inbound',
  acceptedAt: 0,
  envelope: { mailFrom: 'stranger@sender.example', recipients },
  session: { receivedBy: 'mx', clientAddress: '192.0.2.7' },
  added: [],
  struck: [],
  history: [],
  content: { kind: 'inline', bytes: Buffer.from(content) },
}

before(async () => {
  api = await openApi()
})
after(() => api[Symbol.asyncDispose]())
beforeEach(async () => {
  await api.database.query('delete from quarantine')
})

async function put(queueId: string, ...parts: Part[]): Promise<void> {
  const summary = { subject: '請求書', from: 'x@y.example' }
  const facts = { engine: 'ClamAV 1.4/27000', summary, head: Buffer.from('') }
  await setAside(api.database, randomBytes(32), { ...job, queueId }, parts, facts, true)
}

const states = async (queueId: string) =>
  (await api.call('GET', `/v1/quarantine/${queueId}`)).body.items.map(({ state }: { state: string }) => state)
const kindOf = ({ status, body }: { status: number; body: { type: string } }) => [status, body.type]

test('S1-20 of quarantined mail everything but the content is told', async () => {
  await put('q1', infected)
  const { body } = await api.call('GET', '/v1/quarantine/q1')
  const [{ quarantinedAt, ...mail }] = body.items
  assert.deepEqual(mail, {
    queueId: 'q1',
    direction: 'inbound',
    kind: 'infected',
    state: 'kept',
    signature: 'Eicar-Test',
    engine: 'ClamAV 1.4/27000',
    envelope: job.envelope,
    session: job.session,
    summary: { subject: '請求書', from: 'x@y.example' },
    sizeBytes: content.length,
    isReleasable: false,
  })
  assert.deepEqual((await api.call('GET', '/v1/quarantine')).body.items, body.items)
  const before = new Date(Date.parse(quarantinedAt) - 1).toISOString()
  assert.deepEqual((await api.call('GET', `/v1/quarantine?to=${before}`)).body.items, [])
  assert.equal((await api.call('GET', `/v1/quarantine?from=${before}`)).body.items.length, 1)
  assert.deepEqual((await api.call('GET', '/v1/quarantine?kind=held')).body.items, [])
  assert.equal((await api.call('GET', '/v1/quarantine?kind=infected&state=kept')).body.items.length, 1)
  assert.deepEqual(kindOf(await api.call('GET', '/v1/quarantine/q2')), [404, '/problems/not-found'])
})

test('what can not be asked is refused', async () => {
  for (const query of ['from=2026-01-02', 'kind=clean', 'state=lost', 'knd=held'])
    assert.equal((await api.call('GET', `/v1/quarantine?${query}`)).status, 400, query)
  assert.equal((await api.call('GET', '/v1/quarantine/a%00b')).status, 400)
  assert.equal((await api.call('POST', '/v1/quarantine/q1/release?kind=all')).status, 400)
})

test('the quarantine is paged', async () => {
  for (const queueId of ['a', 'b', 'c']) await put(queueId, infected, held)
  const seen: string[] = []
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const { body } = await api.call('GET', `/v1/quarantine?limit=4${cursor && `&cursor=${cursor}`}`)
    seen.push(...body.items.map((item: { queueId: string; kind: string }) => `${item.queueId} ${item.kind}`))
    cursor = body.nextCursor
  }
  assert.equal(new Set(seen).size, 6)
  assert.equal(seen.length, 6)
})

test('held mail is released by order, once', async () => {
  await put('q1', held)
  const first = await api.call('POST', '/v1/quarantine/q1/release')
  assert.deepEqual([first.status, first.body.items[0].state], [202, 'releasing'])
  assert.equal((await api.call('POST', '/v1/quarantine/q1/release')).status, 202)
  const { rows } = await api.database.query(`select from quarantine where state = 'releasing'`)
  assert.equal(rows.length, 1)
  assert.deepEqual(kindOf(await api.call('DELETE', '/v1/quarantine/q1')), [409, '/problems/quarantine-settled'])
})

test('S1-20 infected mail is not released, in no form', async () => {
  await put('q1', infected, held)
  for (const query of ['', '?kind=infected', '?kind=held', '?direction=inbound']) {
    const answer = await api.call('POST', `/v1/quarantine/q1/release${query}`)
    assert.deepEqual(kindOf(answer), [409, '/problems/never-released'], query)
    assert.ok(answer.body.detailJa)
  }
  assert.deepEqual(await states('q1'), ['kept', 'kept'])
  assert.equal((await api.call('POST', '/v1/quarantine/q2/release')).status, 404)
})

test('mail of any kind is deleted by order', async () => {
  await put('q1', infected, held)
  const one = await api.call('DELETE', '/v1/quarantine/q1?kind=held')
  assert.equal(one.status, 202)
  assert.deepEqual(await states('q1'), ['deleting', 'kept'])
  assert.equal((await api.call('DELETE', '/v1/quarantine/q1')).status, 202)
  assert.deepEqual(await states('q1'), ['deleting', 'deleting'])
  assert.equal((await api.call('DELETE', '/v1/quarantine/q2')).status, 404)
})

test('every call about the quarantine is recorded with its key, whatever the answer', async () => {
  await put('audited', infected)
  await api.call('GET', '/v1/quarantine?kind=held&limit=7')
  await api.call('GET', '/v1/quarantine/audited')
  await api.call('GET', '/v1/quarantine/not-there')
  await api.call('POST', '/v1/quarantine/audited/release?kind=infected')
  await api.call('DELETE', '/v1/quarantine/audited')
  const { body } = await api.call('GET', '/v1/quarantine-accesses?limit=5')
  const known = body.items.map((access: Record<string, unknown>) => [access.action, access.queueId, access.detail])
  assert.deepEqual(known, [
    ['delete', 'audited', {}],
    ['release', 'audited', { kind: 'infected' }],
    ['show', 'not-there', {}],
    ['show', 'audited', {}],
    ['list', undefined, { kind: 'held', limit: 7 }],
  ])
  assert.ok(body.items.every((access: { apiKeyId: string }) => access.apiKeyId === apiKeyId(adminApiKey)))
  assert.ok(!JSON.stringify(body).includes(adminApiKey))
  const about = await api.call('GET', '/v1/quarantine-accesses?queueId=audited')
  assert.equal(about.body.items.length, 3)
})

test('what can not be recorded is not answered', async () => {
  await put('q1', held)
  await api.database.query('alter table quarantine_access rename to away')
  try {
    for (const [method, path] of [
      ['GET', ''],
      ['GET', '/q1'],
      ['POST', '/q1/release'],
      ['DELETE', '/q1'],
    ] as const) {
      const answer = await api.call(method, `/v1/quarantine${path}`)
      assert.equal(answer.status, 500, path)
      assert.ok(!JSON.stringify(answer.body).includes('stranger@sender.example'))
    }
  } finally {
    await api.database.query('alter table away rename to quarantine_access')
  }
  assert.deepEqual(await states('q1'), ['kept'])
})
