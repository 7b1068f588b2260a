// The application while its real Postgres can't be reached, and afterwards.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openDatabase } from '@sekimori/store/database'
import { type CuttableProxy, openCuttableProxy } from '@sekimori/testing/cuttable-proxy'
import { eventually } from '@sekimori/testing/eventually'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { openApi } from './testing/api-under-test.ts'

test('while Postgres can not be reached calls get 503 at once and change nothing; afterwards they work again', async () => {
  await using stack = new AsyncDisposableStack()
  let proxy: CuttableProxy | undefined
  const api = stack.use(
    await openApi(async (_direct, url) => {
      proxy = stack.use(await openCuttableProxy(url))
      const proxied = Object.assign(new URL(url), { host: `127.0.0.1:${proxy.port}` }).href
      return stack.use(await openDatabase({ DATABASE_URL: proxied, DATABASE_POOL_SIZE: 2 }, serviceStandIn()))
    }),
  )
  assert.equal((await api.call('POST', '/v1/domains', { name: 'before.test' })).status, 201)
  proxy!.refuse()
  proxy!.cut()
  const start = performance.now()
  assert.equal((await api.call('GET', '/v1/domains')).status, 503)
  assert.equal((await api.call('POST', '/v1/domains', { name: 'during.test' })).status, 503)
  assert.ok(performance.now() - start < 10_000)
  await proxy!.accept()
  await eventually(async () => (await api.call('GET', '/v1/domains')).status === 200)
  assert.equal((await api.call('GET', '/v1/domains/during.test')).status, 404)
  assert.equal((await api.call('POST', '/v1/domains', { name: 'during.test' })).status, 201)
})
