// Failed logins on a real Postgres, with two replicas: who has to wait, and who never does.
import assert from 'node:assert/strict'
import { after, before, beforeEach, test } from 'node:test'
import { createAccount } from '@sekimori/store/account-admin'
import { createAppPassword } from '@sekimori/store/app-password'
import type { Database } from '@sekimori/store/database'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { type Attempt, openLogin } from './login.ts'
import type { LoginLimits } from './login-limit.ts'
import type { QueueBounds } from './password-queue.ts'

const [ALICE, BOB] = ['alice@example.test', 'bob@example.test']
const [HOME, ELSEWHERE, ATTACKER] = ['192.0.2.1', '198.51.100.1', '203.0.113.9']
const LIMITS: LoginLimits = {
  ofPair: 3,
  ofNetwork: 8,
  windowSeconds: 60,
  ofAccount: 100,
  accountWindowSeconds: 60,
  delayStepMs: 1,
}
let stack: TestDatabase
let replica: Database
before(async () => {
  stack = await createTestDatabase()
  replica = await stack.openAnother()
  await stack.database.query("insert into domain (name) values ('example.test')")
  for (const address of [ALICE, BOB]) await createAccount(stack.database, { address, password: 'right', locale: 'ja' })
})
after(async () => {
  await replica[Symbol.asyncDispose]()
  await stack[Symbol.asyncDispose]()
})
beforeEach(async () => {
  for (const table of ['login_failure', 'login_network']) await stack.database.query(`delete from ${table}`)
})

/** A replica's login check as a function from who, what and where to what came of it. */
async function open(database: Database, limits: Partial<LoginLimits> = {}, bounds?: QueueBounds) {
  const login = await openLogin(database, { ...LIMITS, ...limits }, bounds)
  return async (address: string, password: string, clientAddress: string, service: Attempt['service'] = 'pop3') =>
    (await login({ address, password, clientAddress, service })).kind
}

test('after some failures at an account the network has to wait there, on every replica and for both services', async () => {
  const [one, two] = [await open(stack.database), await open(replica)]
  assert.equal(await one(ALICE, 'wrong 1', ATTACKER), 'refused')
  assert.equal(await two(ALICE, 'wrong 2', ATTACKER, 'smtp'), 'refused')
  assert.equal(await one(ALICE, 'wrong 3', ATTACKER, 'smtp'), 'refused')
  for (const login of [one, two])
    for (const service of ['smtp', 'pop3'] as const)
      assert.equal(await login(ALICE, 'right', ATTACKER, service), 'slowed')
  assert.equal(await two(BOB, 'right', ATTACKER), 'ok', 'another account')
  assert.equal(await two(ALICE, 'right', ELSEWHERE), 'ok', 'another network')
})

test('an account that does not exist is counted like one that does', async () => {
  const login = await open(stack.database)
  const outcomes = []
  for (let round = 0; round < 5; round++) outcomes.push(await login('nobody@example.test', 'wrong', ATTACKER))
  assert.deepEqual(outcomes, ['refused', 'refused', 'refused', 'slowed', 'slowed'])
})

test('attempts at the same time are no way around the limit', async () => {
  const login = await open(stack.database)
  const guesses = Array.from({ length: 15 }, (_, index) => login(ALICE, `guess ${index}`, ATTACKER))
  const outcomes = await Promise.all(guesses)
  assert.equal(outcomes.filter((kind) => kind === 'refused').length, LIMITS.ofPair)
  assert.equal(outcomes.filter((kind) => kind === 'slowed').length, 15 - LIMITS.ofPair)
})

test('the owner is never sent away from where the account has logged in before, only slower after failures', async () => {
  const [one, two] = [await open(stack.database), await open(replica)]
  assert.equal(await one(ALICE, 'right', HOME), 'ok')
  const start = performance.now()
  for (let round = 0; round < 20; round++) assert.equal(await two(ALICE, `wrong ${round}`, HOME), 'refused')
  assert.ok(performance.now() - start > 190, 'each failure is answered later than the one before')
  for (const login of [one, two]) assert.equal(await login(ALICE, 'right', HOME, 'smtp'), 'ok')
  for (let round = 0; round < 4; round++) await two(BOB, `wrong ${round}`, HOME)
  assert.equal(await two(BOB, 'right', HOME), 'slowed', 'the place is known to the one account only')
})

test('what the owner has proved does not open the door to who has to wait', async () => {
  const login = await open(stack.database)
  assert.equal(await login(ALICE, 'right', HOME), 'ok')
  for (let round = 0; round < 4; round++) await login(ALICE, `wrong ${round}`, ATTACKER)
  assert.equal(await login(ALICE, 'right', HOME), 'ok')
  assert.equal(await login(ALICE, 'right', ATTACKER), 'slowed')
})

test('one password tried at many accounts makes the network wait, but not the owners in it', async () => {
  const login = await open(stack.database)
  assert.equal(await login(ALICE, 'right', ATTACKER), 'ok')
  for (let account = 0; account < 9; account++) await login(`a${account}@example.test`, 'sesame', ATTACKER)
  assert.equal(await login(BOB, 'right', ATTACKER), 'slowed')
  assert.equal(await login(ALICE, 'right', ATTACKER, 'smtp'), 'ok')
})

test('a botnet at one account makes all networks wait that it does not know, never one that it knows', async () => {
  const [one, two] = [await open(stack.database, { ofAccount: 5 }), await open(replica, { ofAccount: 5 })]
  assert.equal(await one(ALICE, 'right', HOME), 'ok')
  const outcomes = []
  for (let bot = 1; bot <= 8; bot++) outcomes.push(await (bot % 2 ? one : two)(ALICE, 'wrong', `203.0.113.${bot}`))
  assert.deepEqual(outcomes, [...Array(5).fill('refused'), ...Array(3).fill('slowed')])
  assert.equal(await two(ALICE, 'right', ELSEWHERE), 'slowed', 'a right guess is not learnt')
  for (const login of [one, two]) assert.equal(await login(ALICE, 'right', HOME, 'smtp'), 'ok')
  const app = await createAppPassword(stack.database, ALICE, { name: 'phone', services: ['pop3'] })
  assert.ok(app.kind === 'created')
  assert.equal(await one(ALICE, app.password, ELSEWHERE), 'ok', 'nobody guesses an app password')
  assert.equal(await two(BOB, 'right', ELSEWHERE), 'ok', 'another account')
})

test('an account that does not exist has the same limit', async () => {
  const login = await open(stack.database, { ofAccount: 2 })
  const outcomes = []
  for (let bot = 1; bot <= 4; bot++) outcomes.push(await login('nobody@example.test', 'wrong', `203.0.113.${bot}`))
  assert.deepEqual(outcomes, ['refused', 'refused', 'slowed', 'slowed'])
})

test('all addresses of an IPv6 /64 are one attacker', async () => {
  const login = await open(stack.database)
  for (let host = 1; host < 5; host++) await login(ALICE, 'wrong', `2001:db8::${host}`)
  assert.equal(await login(ALICE, 'right', '2001:db8::ffff:1'), 'slowed')
  assert.equal(await login(ALICE, 'right', '2001:db8:0:1::1'), 'ok')
})

test('a right login forgets the failures, and the wait ends', async () => {
  const login = await open(stack.database, { windowSeconds: 1 })
  for (const password of ['wrong', 'wrong', 'right', 'wrong', 'wrong']) await login(ALICE, password, ELSEWHERE)
  assert.equal(await login(ALICE, 'right', ELSEWHERE, 'smtp'), 'ok')
  for (let round = 0; round < 4; round++) await login(BOB, `wrong ${round}`, ATTACKER)
  await eventually(async () => (await login(BOB, 'right', ATTACKER)) === 'ok')
})

test('more logins than can be checked are sent away unchecked and uncounted; known networks go on', async () => {
  const bounds = { atOnce: 1, atOnceInBackground: 1, waiting: 1, ofOneNetwork: 50, restMs: 0 }
  const login = await open(stack.database, {}, bounds)
  assert.equal(await login(ALICE, 'right', HOME), 'ok')
  const flood = Array.from({ length: 40 }, (_, index) => login(BOB, 'wrong', `203.0.113.${index}`))
  assert.equal(await login(ALICE, 'right', HOME, 'smtp'), 'ok')
  const outcomes = await Promise.all(flood)
  assert.ok(outcomes.includes('busy') && outcomes.includes('refused'), outcomes.join())
  assert.ok(outcomes.every((kind) => kind === 'busy' || kind === 'refused'))
  const { rows } = await stack.database.query<{ sum: string }>(
    "select sum(points) from login_failure where key like 'network:%'",
  )
  assert.equal(Number(rows[0]!.sum), outcomes.filter((kind) => kind === 'refused').length)
})

test('a check that could not be made counts for nobody', async () => {
  const login = await open(stack.database)
  await stack.database.query("update account set password_hash = 'unreadable' where address = $1", [BOB])
  await assert.rejects(login(BOB, 'wrong', ATTACKER))
  const { rows } = await stack.database.query<{ sum: string }>('select sum(points) from login_failure')
  assert.equal(Number(rows[0]!.sum), 0)
})
