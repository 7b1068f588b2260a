import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { engineFaults, forgetSignatures, reportSignatures } from '@sekimori/store/signature-status'
import { type ApiUnderTest, openApi } from '../testing/api-under-test.ts'

let api: ApiUnderTest
before(async () => {
  api = await openApi()
})
after(() => api[Symbol.asyncDispose]())

test('each clamd is shown with version, age and health, as each scanner sees it', async () => {
  assert.deepEqual((await api.call('GET', '/v1/signatures')).body, { items: [] })
  const version = 'ClamAV 1.4.6/27500/Mon Nov 16 08:00:00 2026'
  const signaturesAt = new Date(Date.now() - 3_600_000)
  const checkedAt = new Date()
  await reportSignatures(api.database, 'b/1', [{ endpoint: 'clamd-0:3310', version, signaturesAt, checkedAt }])
  await reportSignatures(api.database, 'a/1', [{ endpoint: 'clamd-0:3310', version: 'ClamAV 1.4.6', checkedAt }])
  const { status, body } = await api.call('GET', '/v1/signatures')
  assert.equal(status, 200)
  const [unknown, known] = body.items
  assert.deepEqual(unknown, {
    endpoint: 'clamd-0:3310',
    scanner: 'a/1',
    version: 'ClamAV 1.4.6',
    healthy: true,
    checkedAt: checkedAt.toISOString(),
  })
  const { ageSeconds, ...rest } = known
  assert.ok(ageSeconds >= 3_600 && ageSeconds < 3_700)
  assert.deepEqual(rest, {
    endpoint: 'clamd-0:3310',
    scanner: 'b/1',
    version,
    signaturesAt: signaturesAt.toISOString(),
    healthy: true,
    checkedAt: checkedAt.toISOString(),
  })
  await forgetSignatures(api.database, 'a/1')
  assert.equal((await api.call('GET', '/v1/signatures')).body.items.length, 1)
})

test('why a clamd is not used is said in English and Japanese', async () => {
  for (const fault of engineFaults) {
    await reportSignatures(api.database, 'b/1', [{ endpoint: 'clamd-0:3310', fault }])
    const [item] = (await api.call('GET', '/v1/signatures')).body.items
    assert.equal(item.healthy, false)
    assert.equal(item.fault.kind, fault)
    assert.match(item.fault.detail, /^[A-Z][ -~]+[.?]$/)
    assert.match(item.fault.detailJa, /[ぁ-ん].*。$/)
  }
})

test('only the operator may see it', async () => {
  assert.equal((await api.app.inject('/v1/signatures')).statusCode, 401)
})

test('operators order a rescan of delivered mail, and see how far it is', async () => {
  assert.ok(!('rescan' in (await api.call('GET', '/v1/signatures')).body))
  const { status, body } = await api.call('POST', '/v1/signatures/rescan')
  assert.equal(status, 202)
  const { orderedAt, ...rest } = body.rescan
  assert.ok(Date.now() - Date.parse(orderedAt) < 60_000)
  assert.deepEqual(rest, { state: 'ordered', scanned: 0, infected: 0, failed: 0, waiting: 0 })
  assert.deepEqual((await api.call('POST', '/v1/signatures/rescan')).body, body)
  await api.database.query(
    `update rescan_run set state = 'running', started_at = now(), since = now(), signatures = 'v', scanned = 7`,
  )
  const { rescan } = (await api.call('GET', '/v1/signatures')).body
  assert.deepEqual([rescan.state, rescan.signatures, rescan.scanned], ['running', 'v', 7])
  assert.ok(Date.parse(rescan.startedAt) >= Date.parse(orderedAt))
})
