// The OpenAPI description: complete, and without a way to quarantined content.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type ApiUnderTest, openApi } from './testing/api-under-test.ts'

interface Operation {
  summary: string
  security?: unknown[]
  responses: Record<string, { content?: Record<string, unknown> }>
}

let api: ApiUnderTest
let paths: Record<string, Record<string, Operation>>

before(async () => {
  api = await openApi()
  paths = (await api.app.inject('/documentation/json')).json().paths
})
after(() => api[Symbol.asyncDispose]())

test('every call is described', () => {
  const calls = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((m) => `${m} ${path}`))
  assert.deepEqual(calls.filter((call) => call.includes('/v1/')).sort(), [
    'delete /v1/accounts/{address}',
    'delete /v1/accounts/{address}/app-passwords/{id}',
    'delete /v1/aliases/{address}',
    'delete /v1/dead-jobs/{id}',
    'delete /v1/destinations/{domain}',
    'delete /v1/domains/{name}',
    'delete /v1/lists/{address}',
    'delete /v1/quarantine/{queueId}',
    'delete /v1/tokens/{id}',
    'delete /v1/warning-suspensions/{id}',
    'get /v1/accounts',
    'get /v1/accounts/{address}',
    'get /v1/accounts/{address}/app-passwords',
    'get /v1/accounts/{address}/forwarding',
    'get /v1/accounts/{address}/preferences',
    'get /v1/accounts/{address}/quota',
    'get /v1/accounts/{address}/sending-limits',
    'get /v1/aliases',
    'get /v1/aliases/{address}',
    'get /v1/dead-jobs',
    'get /v1/dead-jobs/{id}',
    'get /v1/deferred-mail',
    'get /v1/deferred-mail/domains',
    'get /v1/destinations',
    'get /v1/destinations/{domain}',
    'get /v1/domains',
    'get /v1/domains/{name}',
    'get /v1/domains/{name}/delivery',
    'get /v1/domains/{name}/dkim-keys',
    'get /v1/domains/{name}/dkim-keys/{selector}/dns',
    'get /v1/domains/{name}/dns-check',
    'get /v1/domains/{name}/dns-records',
    'get /v1/domains/{name}/virus-policy',
    'get /v1/lists',
    'get /v1/lists/{address}',
    'get /v1/lists/{address}/settings',
    'get /v1/messages',
    'get /v1/quarantine',
    'get /v1/quarantine-accesses',
    'get /v1/quarantine/{queueId}',
    'get /v1/reporting',
    'get /v1/reports',
    'get /v1/signatures',
    'get /v1/tokens',
    'get /v1/warning-suspensions',
    'get /v1/warning-suspensions/{id}',
    'patch /v1/accounts/{address}',
    'patch /v1/accounts/{address}/preferences',
    'patch /v1/accounts/{address}/quota',
    'patch /v1/accounts/{address}/sending-limits',
    'patch /v1/destinations/{domain}',
    'patch /v1/domains/{name}',
    'patch /v1/domains/{name}/delivery',
    'patch /v1/domains/{name}/virus-policy',
    'patch /v1/lists/{address}/settings',
    'patch /v1/reporting',
    'patch /v1/warning-suspensions/{id}',
    'post /v1/accounts',
    'post /v1/accounts/{address}/app-passwords',
    'post /v1/aliases',
    'post /v1/dead-jobs/{id}/replay',
    'post /v1/deferred-mail/orders',
    'post /v1/domains',
    'post /v1/domains/{name}/dkim-keys',
    'post /v1/domains/{name}/dkim-keys/{selector}/activate',
    'post /v1/domains/{name}/dkim-keys/{selector}/retire',
    'post /v1/lists',
    'post /v1/quarantine/{queueId}/release',
    'post /v1/signatures/rescan',
    'post /v1/tokens',
    'post /v1/warning-suspensions',
    'put /v1/accounts/{address}/forwarding',
    'put /v1/aliases/{address}/targets',
    'put /v1/lists/{address}/members',
  ])
})

test('every call is under the token, has a summary, and says what may go wrong', () => {
  for (const [path, methods] of Object.entries(paths)) {
    if (!path.startsWith('/v1/')) continue
    for (const { summary, security, responses } of Object.values(methods)) {
      assert.ok(summary, path)
      assert.equal(security, undefined, path)
      for (const status of ['400', '401', '500', '503']) {
        assert.deepEqual(
          Object.keys(responses[status]?.content ?? {}),
          ['application/problem+json'],
          `${path} ${status}`,
        )
      }
    }
  }
})

test('S1-20 no answer about quarantine has a field for content', () => {
  const calls = Object.entries(paths).filter(([path]) => path.includes('quarantine'))
  assert.equal(calls.length, 4)
  const description = JSON.stringify(calls)
  assert.doesNotMatch(description, /contentId|"body"|"bytes"|octet-stream|message\/rfc822/)
})
