import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TlsCount } from '@sekimori/store/tls-result'
import { serviceStandIn } from '@sekimori/testing/test-service'
import { TlsResults } from './tls-results.ts'

test('sessions of the same kind are one row, and what is left is written at the end', async () => {
  const written: TlsCount[][] = []
  const common = { policyDomain: 'a.test', policyType: 'sts' as const, policy: 'x', host: 'mx', address: '192.0.2.1' }
  {
    await using results = new TlsResults(async (counts) => void written.push(counts), serviceStandIn().log, 60_000)
    for (const result of ['successful', 'validation-failure', 'successful']) results.add({ ...common, result })
    assert.deepEqual(written, [])
  }
  assert.deepEqual(
    written.flat().map(({ result, sessions }) => `${result} ${sessions}`),
    ['successful 2', 'validation-failure 1'],
  )
})
