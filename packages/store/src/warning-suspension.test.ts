// S1-26 on a real Postgres: after a suspension is made no warning enters a maildrop, and what was kept back is counted
// exactly, whatever runs at the same time and however often it comes.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import type { Database } from './database.ts'
import {
  addAccount,
  decideFor,
  heldAtSuspensions,
  infectedMail,
  maildropSize,
  warningCopy,
  warningEnds,
} from './testing/warnings.ts'
import type { InfectedMail } from './warning-decision.ts'
import { deliverWarning } from './warning-delivery.ts'
import { changeSuspensions } from './warning-suspension.ts'
import { createSuspension, endSuspension, findSuspension, type NewSuspension } from './warning-suspension-admin.ts'

const BOB = 'bob@example.test'
const OF_ALL: NewSuspension = { scope: 'all', value: undefined, reason: 'r', createdBy: 'op', endsAt: undefined }
let stack: TestDatabase
let database: Database
let bob: number

before(async () => {
  stack = await createTestDatabase()
  database = stack.database
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await database.query('truncate account, warning_suspension, virus_warning, message_trace cascade')
  bob = await addAccount(database, BOB)
})

const suspend = (change: Partial<NewSuspension> = {}) => createSuspension(database, { ...OF_ALL, ...change })
const suppressed = async (id: string) => (await findSuspension(database, id))?.suppressed

async function untilSomebodyWaits(): Promise<void> {
  await eventually(async () => {
    const { rows } = await database.query("select from pg_locks where locktype = 'advisory' and not granted")
    return rows.length > 0
  })
}

test('S1-26 a warning that is being delivered when the call comes is delivered before the call returns', async () => {
  const mail = infectedMail()
  assert.equal(await decideFor(database, mail, BOB), true)
  const held = heldAtSuspensions(database, 'after')
  const delivery = deliverWarning(held.database, mail.job.queueId, warningCopy(mail, BOB, bob))
  await held.reached
  const call = suspend().then(async ({ id }) => ({ id, found: await maildropSize(database, bob) }))
  await untilSomebodyWaits()
  held.release()
  const { id, found } = await call
  assert.equal(found, 1)
  await delivery
  assert.equal(await suppressed(id), 0)
})

test('S1-26 a warning that was written before the call, and is still on its way, is kept back and counted once', async () => {
  const mail = infectedMail()
  await decideFor(database, mail, BOB)
  const copy = warningCopy(mail, BOB, bob)
  const held = heldAtSuspensions(database, 'before')
  const delivery = deliverWarning(held.database, mail.job.queueId, copy)
  await held.reached
  const { id } = await suspend()
  held.release()
  await delivery
  for (let again = 0; again < 2; again++) await deliverWarning(database, mail.job.queueId, copy)
  assert.equal(await decideFor(database, mail, BOB), false)
  assert.equal(await maildropSize(database, bob), 0)
  assert.equal(await suppressed(id), 1)
  assert.deepEqual(await warningEnds(database, mail), [[BOB, 'suspended', `suspension ${id}`]])
})

test('S1-26 a decision that is being made when the call comes counts as made after it', async () => {
  const mail = infectedMail()
  const held = heldAtSuspensions(database, 'before')
  const decision = decideFor(held.database, mail, BOB)
  await held.reached
  const { id } = await suspend()
  held.release()
  assert.equal(await decision, false)
  assert.equal(await suppressed(id), 1)
})

test('S1-26 what is kept back is never sent later, nor does a repetition count again', async () => {
  const mail = infectedMail()
  const { id } = await suspend()
  for (let again = 0; again < 3; again++) assert.equal(await decideFor(database, mail, BOB), false)
  await endSuspension(database, id, 'now')
  assert.equal(await decideFor(database, mail, BOB), false)
  assert.equal(await suppressed(id), 1)
  assert.equal(await decideFor(database, infectedMail(), BOB), true)
})

test('S1-26 each scope covers what it names and nothing else', async () => {
  const scopes = [
    { scope: 'domain', value: 'example.test' },
    { scope: 'address', value: BOB },
    { scope: 'sender', value: 'stranger@sender.example' },
    { scope: 'signature', value: 'Test.Virus' },
  ] as const
  const others = ['other.test', 'carol@example.test', 'x@sender.example', 'Test']
  for (const [i, { scope, value }] of scopes.entries()) {
    const other = await suspend({ scope, value: others[i] })
    assert.equal(await decideFor(database, infectedMail(), BOB), true, `${scope} of another`)
    const { id } = await suspend({ scope, value })
    assert.equal(await decideFor(database, infectedMail(), BOB), false, scope)
    await endSuspension(database, id, 'now')
    assert.deepEqual([await suppressed(other.id), await suppressed(id)], [0, 1])
  }
})

test('S1-26 a suspension ends at its time', async () => {
  const { id } = await suspend({ endsAt: new Date(Date.now() + 60_000) })
  assert.equal(await decideFor(database, infectedMail(), BOB), false)
  await database.query("update warning_suspension set ends_at = clock_timestamp() - interval '1 ms' where id = $1", [
    id,
  ])
  assert.equal(await decideFor(database, infectedMail(), BOB), true)
  assert.equal((await findSuspension(database, id))?.isActive, false)
})

test('S1-26 a warning that would not have been sent anyway does not count as suppressed', async () => {
  await addAccount(database, 'silent@example.test', false)
  const { id } = await suspend()
  const mail = infectedMail()
  assert.equal(await decideFor(database, mail, 'silent@example.test'), false)
  assert.equal(await suppressed(id), 0)
  assert.equal((await warningEnds(database, mail))[0]?.[1], 'dropped')
})

test('S1-26 a burst over two replicas: every warning is delivered or counted, none twice, none after the call', async () => {
  await using other = await stack.openAnother()
  await using api = await stack.openAnother()
  const mails = Array.from({ length: 300 }, () => infectedMail())
  const warn = async (pool: Database, mail: InfectedMail, triesLeft = 5): Promise<void> => {
    try {
      if (await decideFor(pool, mail, BOB)) await deliverWarning(pool, mail.job.queueId, warningCopy(mail, BOB, bob))
    } catch (error) {
      // A process that has stood still with the lock in hand loses it (as on a machine that pauses), and its job comes again.
      if (!(error instanceof DependencyAway) || triesLeft === 0) throw error
      await warn(pool, mail, triesLeft - 1)
    }
  }
  const replica = async (pool: Database) => {
    for (const mail of mails) await warn(pool, mail)
  }
  const work = [database, database, other, other].map(replica)
  await eventually(async () => (await maildropSize(api, bob)) > 20)
  const { id } = await createSuspension(api, OF_ALL)
  const delivered = await maildropSize(api, bob)
  await Promise.all(work)
  assert.equal(await maildropSize(database, bob), delivered)
  assert.equal(await suppressed(id), mails.length - delivered)
  assert.ok(delivered < mails.length, 'the call came after the burst')
})

test('a change that can not get the lock is no change', async () => {
  const mail = infectedMail()
  await decideFor(database, mail, BOB)
  const held = heldAtSuspensions(database, 'after')
  const delivery = deliverWarning(held.database, mail.job.queueId, warningCopy(mail, BOB, bob))
  await held.reached
  await assert.rejects(
    changeSuspensions(database, async () => assert.fail('changed'), 20),
    DependencyAway,
  )
  held.release()
  await delivery
})
