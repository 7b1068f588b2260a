// Limits over several replicas: each has its own counter on the same database.
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { withinOneHour } from '@sekimori/testing/within-one-hour'
import type { Database } from './database.ts'
import { OpenSessions } from './open-sessions.ts'
import { currentUsage } from './usage.ts'
import { type Spending, UsageCounter } from './usage-counter.ts'

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
})
after(() => stack[Symbol.asyncDispose]())

const recipients = (subject: string, amount: number, limit: number): Spending[] => [
  { kind: 'recipients-day', subject, amount, limit },
  { kind: 'mails-hour', subject, amount: 1, limit: 1_000 },
]

test('two replicas together let what the limit says through, give or take a tenth', () =>
  withinOneHour(async () => {
    const subject = randomUUID()
    await using one = new UsageCounter(stack.database, 20)
    await using other = new UsageCounter(stack.database, 20)
    const spent: (Spending | undefined)[] = []
    const send = async (counter: UsageCounter) => {
      for (let i = 0; i < 30; i++) spent.push(await counter.spend(recipients(subject, 1, 20)))
    }
    await Promise.all([send(one), send(other)])
    const passed = spent.filter((refused) => refused === undefined).length
    assert.ok(passed >= 16 && passed <= 22, `${passed} of 20`)
    assert.equal(spent.find((refused) => refused !== undefined)?.kind, 'recipients-day')
    await eventually(async () => (await currentUsage(stack.database, subject)).get('recipients-day') === passed)
    assert.equal((await currentUsage(stack.database, subject)).get('mails-hour'), passed)
  }))

test('a replica that starts anew knows what was used before', () =>
  withinOneHour(async () => {
    const subject = randomUUID()
    {
      await using first = new UsageCounter(stack.database, 60_000)
      assert.equal(await first.spend(recipients(subject, 8, 100)), undefined)
    }
    await using second = new UsageCounter(stack.database, 60_000)
    assert.equal((await second.spend(recipients(subject, 93, 100)))?.kind, 'recipients-day')
    assert.equal(await second.spend(recipients(subject, 92, 100)), undefined)
    assert.equal(second.used('mails-hour', subject), 2)
  }))

test('far from a limit, mail after mail asks nothing of the database', () =>
  withinOneHour(async () => {
    const subject = randomUUID()
    let questions = 0
    const database: Pick<Database, 'query'> = {
      query: (text, values) => {
        questions++
        return stack.database.query(text, values)
      },
    }
    await using counter = new UsageCounter(database as Database, 60_000)
    for (let i = 0; i < 95; i++) assert.equal(await counter.spend(recipients(subject, 1, 1_000)), undefined)
    assert.equal(questions, 1)
  }))

test('while the database is away, each replica goes on by what it knows', async () => {
  const database = { query: () => Promise.reject(new DependencyAway('postgres')) } as unknown as Database
  await using counter = new UsageCounter(database, 60_000)
  for (let i = 0; i < 5; i++) assert.equal(await counter.spend(recipients('x', 1, 5)), undefined)
  assert.equal((await counter.spend(recipients('x', 1, 5)))?.limit, 5)
})

test('replicas tell one another of many open sessions, and forget those of a replica that ended', async () => {
  const subject = randomUUID()
  await using one = new OpenSessions(stack.database, 'mx', () => new Map([[subject, 30]]), 20)
  {
    await using other = new OpenSessions(stack.database, 'mx', () => new Map([[subject, 12]]), 20)
    await eventually(() => one.others(subject) === 12 && other.others(subject) === 30)
  }
  await eventually(() => one.others(subject) === 0)
})
