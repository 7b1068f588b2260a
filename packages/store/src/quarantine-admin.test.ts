// What operators see of the quarantine, on a real Postgres.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import type { JobHeader } from '@sekimori/mail/job'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { quarantine } from './quarantine.ts'
import { findQuarantined, listQuarantine } from './quarantine-admin.ts'

const secretContent = 'the infected mail itself'
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await stack.database.query('delete from quarantine')
})

const envelope = { mailFrom: 'stranger@sender.example', recipients: [{ address: 'bob@example.test' }] }
const session = { receivedBy: 'mx' as const, clientAddress: '192.0.2.7' }
const summary = { subject: 'Invoice', from: 'stranger@sender.example' }

async function setAside(queueId: string, time?: string): Promise<void> {
  const job: JobHeader = {
    queueId,
    direction: 'inbound',
    acceptedAt: 0,
    envelope,
    session,
    added: [],
    struck: [],
    history: [],
  }
  const content = { kind: 'inline' as const, bytes: Buffer.from(secretContent) }
  await quarantine(stack.database, { ...job, content }, { signature: 'Eicar', engine: 'ClamAV 1' }, summary)
  if (time !== undefined)
    await stack.database.query('update quarantine set quarantined_at = $2 where queue_id = $1', [queueId, time])
}

test('S1-20 of a quarantined mail everything but its content is shown', async () => {
  await setAside('q1', '2026-01-02T03:04:05Z')
  const [mail] = await findQuarantined(stack.database, 'q1')
  assert.deepEqual(mail, {
    queueId: 'q1',
    direction: 'inbound',
    signature: 'Eicar',
    engine: 'ClamAV 1',
    envelope,
    session,
    summary,
    sizeBytes: secretContent.length,
    quarantinedAt: '2026-01-02T03:04:05.000Z',
  })
  assert.deepEqual(await findQuarantined(stack.database, 'q2'), [])
})

test('pages go on exactly after the last mail, also among mails of the same microsecond', async () => {
  for (const queueId of ['a', 'b', 'c']) await setAside(queueId, '2026-01-02T03:04:05.123456Z')
  await setAside('d', '2026-01-02T03:04:05.123457Z')
  await setAside('e', '2026-01-02T03:04:05.123455Z')
  const seen: string[] = []
  let after: string[] | undefined
  do {
    const page = await listQuarantine(stack.database, {}, { limit: 1, after })
    seen.push(...page.items.map(({ queueId }) => queueId))
    after = page.next
  } while (after !== undefined && seen.length < 10)
  assert.deepEqual(seen, ['d', 'c', 'b', 'a', 'e'])
})

test('a period begins with its first instant and ends before its last', async () => {
  for (const day of [1, 2, 3]) await setAside(`day-${day}`, `2026-01-0${day}T00:00:00Z`)
  const period = { from: new Date('2026-01-02T00:00:00Z'), to: new Date('2026-01-03T00:00:00Z') }
  const { items } = await listQuarantine(stack.database, period, { limit: 10 })
  assert.deepEqual(
    items.map(({ queueId }) => queueId),
    ['day-2'],
  )
})
