// A flood of infected mail from one account stops its sending: counted exactly over replicas and repetitions.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { findAccount, updateAccount } from './account-admin.ts'
import type { Database } from './database.ts'
import { countInfected, openSendingState } from './sending-stop.ts'
import { addAccount, infectedMail } from './testing/warnings.ts'

const ALICE = 'alice@example.test'
const MINUTE_MS = 60_000
const LIMIT = { mails: 3, windowMinutes: 10 }
let stack: TestDatabase
let database: Database

before(async () => {
  stack = await createTestDatabase()
  database = stack.database
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await database.query('truncate account cascade')
  await addAccount(database, ALICE)
})

const start = Date.now()
const at = (minutes: number) => infectedMail(ALICE, start + minutes * MINUTE_MS).job
const count = (minutes: number) => countInfected(database, at(minutes), LIMIT)
const stopped = async () => (await findAccount(database, ALICE))?.sendingStopped

test('the mail that is one too many stops the account, and says so each time it comes', async () => {
  const jobs = [at(0), at(1), at(2), at(3)]
  const results = []
  for (const job of jobs) results.push(await countInfected(database, job, LIMIT))
  assert.deepEqual(results, [undefined, undefined, { account: ALICE, locale: 'ja' }, undefined])
  assert.deepEqual(await countInfected(database, jobs[2]!, LIMIT), { account: ALICE, locale: 'ja' })
  assert.equal((await stopped())?.reason, `3 infected mails within 10 minutes, the last one ${jobs[2]!.queueId}`)
})

test('a mail that comes again counts once, also on two replicas at the same time', async () => {
  await using other = await stack.openAnother()
  const jobs = [at(0), at(1)]
  await Promise.all([...jobs, ...jobs, ...jobs].map((job, i) => countInfected(i % 2 ? other : database, job, LIMIT)))
  assert.equal(await stopped(), undefined)
  const many = Array.from({ length: 20 }, (_, i) => at(2 + i / 100))
  const causes = await Promise.all(many.map((job, i) => countInfected(i % 2 ? other : database, job, LIMIT)))
  assert.equal(causes.filter((cause) => cause !== undefined).length, 1)
})

test('mails that lie further apart than the window do not stop it, in whatever order their notices come', async () => {
  for (const minutes of [0, 5, 10, 15, 20]) assert.equal(await count(minutes), undefined)
  for (const minutes of [45, 40, 50, 55]) assert.equal(await count(minutes), undefined)
  assert.equal(await stopped(), undefined)
  assert.notEqual(await count(42), undefined)
})

test('an operator lets the account send again; what came before does not count any more', async () => {
  for (const minutes of [-3, -2, -1]) await count(minutes)
  assert.notEqual(await stopped(), undefined)
  const account = await updateAccount(database, ALICE, { sendingStopped: null })
  assert.equal(account?.sendingStopped, undefined)
  assert.equal(await count(-0.5), undefined)
  for (const minutes of [1, 2]) assert.equal(await count(minutes), undefined)
  assert.notEqual(await count(3), undefined)
})

test('a change of something else does not let it send again', async () => {
  for (const minutes of [0, 1, 2]) await count(minutes)
  assert.notEqual((await updateAccount(database, ALICE, { locale: 'en' }))?.sendingStopped, undefined)
})

test('a stranger who writes in the name of an account counts for nobody', async () => {
  for (let i = 0; i < 5; i++) {
    const { job } = infectedMail()
    assert.equal(
      await countInfected(database, { ...job, envelope: { mailFrom: ALICE, recipients: [] } }, LIMIT),
      undefined,
    )
  }
  assert.equal(await stopped(), undefined)
})

test('a replica that has the state in its cache learns of the stop, of the lift, and of the end of the account', async () => {
  await using edge = await stack.openAnother()
  const state = openSendingState(edge)
  assert.equal(await state(ALICE), 'allowed')
  for (const minutes of [0, 1, 2]) await count(minutes)
  await eventually(async () => (await state(ALICE)) === 'stopped')
  await updateAccount(database, ALICE, { sendingStopped: null })
  await eventually(async () => (await state(ALICE)) === 'allowed')
  await database.query('delete from account')
  await eventually(async () => (await state(ALICE)) === 'gone')
})
