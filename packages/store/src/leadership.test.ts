import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { type Lead, LeadLost, lockLead, takeLead, whileLeading } from './leadership.ts'

let db: TestDatabase
before(async () => {
  db = await createTestDatabase()
})
after(() => db[Symbol.asyncDispose]())

const never = new AbortController().signal
const lead = (work: string, holder: string, lifeMs = 60_000): Lead => ({ work, holder, lifeMs })

test('one process does the work at a time, and the next one when it is done', async () => {
  const a = lead('sweep', 'a')
  const b = lead('sweep', 'b')
  const isLed = await whileLeading(db.database, a, never, async () => {
    assert.equal(await whileLeading(db.database, b, never, async () => assert.fail('both at a time')), false)
    await db.database.transaction((client) => lockLead(client, a))
  })
  assert.equal(isLed, true)
  assert.equal(await whileLeading(db.database, b, never, async () => {}), true)
})

test('who has lost the lead hears of it, and writes nothing more', async () => {
  const slow = lead('rescan', 'slow', 300)
  await whileLeading(db.database, slow, never, async (signal) => {
    await db.database.query(`update leadership set holder = 'other' where work = 'rescan'`)
    await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
    await assert.rejects(
      db.database.transaction((client) => lockLead(client, slow)),
      LeadLost,
    )
  })
})

test('the lead of a process that is gone runs out', async () => {
  assert.ok(await takeLead(db.database, lead('old', 'gone')))
  assert.equal(await takeLead(db.database, lead('old', 'next')), false)
  await db.database.query(`update leadership set expires_at = now() - interval '1 second' where work = 'old'`)
  assert.ok(await takeLead(db.database, lead('old', 'next')))
})
