// The small form of `npm run soak`: failing servers, killed services, and an account that comes out even.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sharedStack } from '@sekimori/testing/shared-stack'
import { faultsOf, render } from './soak/report.ts'
import { soak } from './soak/soak.ts'

test('while servers fail and services are killed at random, every accepted recipient comes to one end', async () => {
  const report = await soak(await sharedStack(), { mails: 240, seed: 7, withinMs: 300_000 })
  const text = render(report)
  assert.equal(report.sum, report.recipients, text)
  assert.deepEqual([report.missing, report.double, report.lost], [[], [], []], text)
  const unkilled = (fault: string) => fault.startsWith('never killed') // few mails leave no time to kill each
  assert.deepEqual(
    faultsOf(report).filter((fault) => !unkilled(fault)),
    [],
    text,
  )
  assert.ok((report.ends.sent ?? 0) > 0 && (report.ends.bounced ?? 0) > 0, text)
})
