// What operators see of the quarantine, on a real Postgres.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { findQuarantined, listQuarantine } from './quarantine-admin.ts'
import { facts, held, infected, jobOf, setAsideAs } from './testing/mail-set-aside.ts'

const secretContent = 'the infected mail itself'
let stack: TestDatabase

before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await stack.database.query('delete from quarantine')
})

async function setAside(queueId: string, time?: string, part = infected): Promise<void> {
  await setAsideAs(stack.database, jobOf(queueId, secretContent), part)
  if (time !== undefined)
    await stack.database.query('update quarantine set quarantined_at = $2 where queue_id = $1', [queueId, time])
}

test('S1-20 of a quarantined mail everything but its content is shown', async () => {
  await setAside('q1', '2026-01-02T03:04:05Z')
  const [mail] = await findQuarantined(stack.database, 'q1')
  assert.deepEqual(mail, {
    queueId: 'q1',
    direction: 'inbound',
    kind: 'infected',
    state: 'kept',
    signature: 'Eicar',
    engine: 'ClamAV 1',
    envelope: jobOf('q1', '').envelope,
    session: jobOf('q1', '').session,
    summary: facts.summary,
    sizeBytes: secretContent.length,
    quarantinedAt: '2026-01-02T03:04:05.000Z',
    isReleasable: false,
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

test('mail is listed by kind and state; held mail has a reason and may be released', async () => {
  await setAside('infected')
  await setAside('held', undefined, held)
  const listed = async (filter: object) =>
    (await listQuarantine(stack.database, filter, { limit: 10 })).items.map(({ queueId }) => queueId)
  assert.deepEqual(await listed({ kind: 'held' }), ['held'])
  assert.deepEqual(await listed({ kind: 'infected', state: 'kept' }), ['infected'])
  assert.deepEqual(await listed({ state: 'released' }), [])
  const [mail] = await findQuarantined(stack.database, 'held')
  assert.deepEqual([mail?.reason, mail?.signature, mail?.isReleasable], ['encrypted', undefined, true])
})
