// Operators have reports sent, in the name of a domain of theirs, and see which were.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openApi } from '../testing/api-under-test.ts'

test('reports are off until somebody turns them on, and need a domain to be sent for', async () => {
  await using api = await openApi()
  await api.addAccounts('alice@example.test')
  assert.deepEqual((await api.call('GET', '/v1/reporting')).body, { dmarc: false, tls: false })
  for (const body of [
    { dmarc: true },
    { tls: true },
    { dmarc: true, senderDomain: 'other.test' },
    { senderDomain: 'x@y' },
  ]) {
    const { status, body: problem } = await api.call('PATCH', '/v1/reporting', body)
    assert.deepEqual([status, problem.errors?.[0]?.pointer], [422, '/senderDomain'], JSON.stringify(body))
  }
  const on = await api.call('PATCH', '/v1/reporting', { dmarc: true, senderDomain: 'Example.Test' })
  assert.deepEqual([on.status, on.body], [200, { dmarc: true, tls: false, senderDomain: 'example.test' }])
  const both = await api.call('PATCH', '/v1/reporting', { tls: true })
  assert.deepEqual(both.body, { dmarc: true, tls: true, senderDomain: 'example.test' })
  assert.equal((await api.call('PATCH', '/v1/reporting', { dmarc: 'yes' })).status, 422)
})

test('the reports are listed, the newest first, by domain and by page', async () => {
  await using api = await openApi()
  await api.database.query("insert into report_day (day, budget) values ('2026-03-01', 9), ('2026-03-02', 9)")
  await api.database.query(
    `insert into report (day, kind, policy_domain, state, due_at, settled_at) values
     ('2026-03-01', 'dmarc', 'a.test', 'sent', now(), '2026-03-02T01:00:00Z'),
     ('2026-03-02', 'dmarc', 'a.test', 'waiting', now(), null), ('2026-03-02', 'tls', 'b.test', 'capped', now(), now())`,
  )
  await api.database.query(
    `insert into report_delivery values ('2026-03-01', 'dmarc', 'a.test', 'mailto:x@a.test', 'q1', '2026-03-02T01:00:00Z')`,
  )
  const { body } = await api.call('GET', '/v1/reports?domain=A.test')
  assert.deepEqual(body.items, [
    { day: '2026-03-02', kind: 'dmarc', domain: 'a.test', state: 'waiting', deliveries: [] },
    {
      day: '2026-03-01',
      kind: 'dmarc',
      domain: 'a.test',
      state: 'sent',
      settledAt: '2026-03-02T01:00:00.000Z',
      deliveries: [{ destination: 'mailto:x@a.test', queueId: 'q1', deliveredAt: '2026-03-02T01:00:00.000Z' }],
    },
  ])
  const days: string[] = []
  let next = ''
  do {
    const page = (await api.call('GET', `/v1/reports?limit=1${next}`)).body
    days.push(...page.items.map(({ day, domain }: { day: string; domain: string }) => `${day} ${domain}`))
    next = page.nextCursor === undefined ? '' : `&cursor=${page.nextCursor}`
  } while (next !== '')
  assert.deepEqual(days, ['2026-03-02 b.test', '2026-03-02 a.test', '2026-03-01 a.test'])
  assert.equal((await api.call('GET', '/v1/reports?cursor=xyz')).status, 400)
})
