import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog } from '@sekimori/runtime/log'
import type { Database } from '@sekimori/store/database'
import { type EngineStatus, listSignatures } from '@sekimori/store/signature-status'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase } from '@sekimori/testing/test-database'
import { startSignatureReport } from './signature-report.ts'

const log = createLog('test', 'silent')
const fit: EngineStatus = { endpoint: 'clamd:3310', version: 'ClamAV 1.4.6' }

function engineStandIn(statuses: EngineStatus[]) {
  const listeners: (() => void)[] = []
  return {
    statuses: () => statuses,
    onChange: (listener: () => void) => void listeners.push(listener),
    change(...now: EngineStatus[]) {
      statuses = now
      for (const listener of listeners) listener()
    },
  }
}

test('a change is written at once, everything again after a while, and nothing is left at the end', async () => {
  await using stack = await createTestDatabase()
  const { database } = stack
  const engine = engineStandIn([fit])
  const seen = async () => (await listSignatures(database)).map(({ scanner, fault }) => [scanner, fault])
  {
    await using _report = startSignatureReport(engine, database, log, { scanner: 's', intervalMs: 3_600_000 })
    await eventually(async () => (await seen()).length === 1)
    engine.change({ ...fit, fault: 'too-old' })
    await eventually(async () => (await seen())[0]?.[1] === 'too-old')
  }
  assert.deepEqual(await seen(), [])
  await using _report = startSignatureReport(engine, database, log, { scanner: 's', intervalMs: 20 })
  await eventually(async () => (await seen()).length === 1)
  await database.query('delete from signature_status')
  await eventually(async () => (await seen()).length === 1)
})

test('while Postgres is away nothing fails, and the report is written when it is back', async () => {
  await using stack = await createTestDatabase()
  let failures = 0
  const query: Database['query'] = (text, values) => {
    if (failures++ < 2) return Promise.reject(new Error('away'))
    return stack.database.query(text, values)
  }
  const database = { ...stack.database, query } as Database
  await using _report = startSignatureReport(engineStandIn([fit]), database, log, { scanner: 's', intervalMs: 10 })
  await eventually(async () => (await listSignatures(stack.database)).length === 1)
  assert.ok(failures > 2)
})
