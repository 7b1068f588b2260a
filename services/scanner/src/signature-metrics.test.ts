import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registry } from '@sekimori/runtime/metrics'
import { observeEndpoint } from './signature-metrics.ts'

async function lines(): Promise<string[]> {
  const text = await registry.metrics()
  return text.split('\n').filter((line) => /^sekimori_(clamd|signature)/.test(line))
}

test('version, age and fitness of each clamd are shown, the last version only', async () => {
  const version = 'ClamAV 1.4.6/27500/Mon Nov 16 08:00:00 2026'
  observeEndpoint({ endpoint: 'a:1', version, signaturesAt: new Date(Date.now() - 90_000), fault: 'too-old' })
  const [usable, info, age] = await lines()
  assert.equal(usable, 'sekimori_clamd_usable{endpoint="a:1"} 0')
  assert.equal(info, `sekimori_signature_info{endpoint="a:1",version="${version}"} 1`)
  const seconds = Number(/^sekimori_signature_age_seconds\{endpoint="a:1"\} ([\d.]+)$/.exec(age!)?.[1])
  assert.ok(seconds >= 90 && seconds < 120)
  observeEndpoint({ endpoint: 'a:1', version: 'ClamAV 1.4.6' })
  assert.deepEqual(await lines(), [
    'sekimori_clamd_usable{endpoint="a:1"} 1',
    'sekimori_signature_info{endpoint="a:1",version="ClamAV 1.4.6"} 1',
  ])
})
