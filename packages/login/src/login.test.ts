// Logins on a real Postgres: right ones are remembered for a while, and a changed password ends that on every replica.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { after, before, beforeEach, test } from 'node:test'
import { createAccount, updateAccount } from '@sekimori/store/account-admin'
import { deleteAccount } from '@sekimori/store/account-removal'
import type { Database } from '@sekimori/store/database'
import { eventually } from '@sekimori/testing/eventually'
import { childrenOf } from '@sekimori/testing/process-list'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import pg from 'pg'
import { type Account, type Login, openLogin } from './login.ts'

const ALICE = 'alice@example.test'
let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
  await stack.database.query("insert into domain (name) values ('example.test')")
})
after(() => stack[Symbol.asyncDispose]())
beforeEach(async () => {
  await deleteAccount(stack.database, ALICE)
  await createAccount(stack.database, { address: ALICE, password: 'right', locale: 'ja' })
})

/** A login check, and how often it has asked the database. */
async function countedLogin(database: Database) {
  const counter = { asked: 0 }
  const login = await openLogin({
    hearsChanges: () => database.hearsChanges(),
    onDirectoryChange: (listener: () => void) => database.onDirectoryChange(listener),
    query: (...query: Parameters<Database['query']>) => {
      counter.asked++
      return database.query(...query)
    },
  } as Database)
  return { login: byPassword(login), counter }
}

let places = 0

/** The check for a mail client at a place of its own, and only who has got in. */
function byPassword(login: Login): (address: string, password: string) => Promise<Account | undefined> {
  const clientAddress = `192.0.2.${++places}`
  return async (address, password) => {
    const outcome = await login({ address, password, clientAddress, service: 'pop3' })
    return outcome.kind === 'ok' ? outcome.account : undefined
  }
}

const open = async (database: Database) => byPassword(await openLogin(database))

test('the right password logs in, under any spelling of the address; nothing else does', async () => {
  const login = await open(stack.database)
  assert.equal((await login('Alice@EXAMPLE.test', 'right'))?.address, ALICE)
  for (const [address, password] of [
    [ALICE, 'wrong'],
    [ALICE, ''],
    [ALICE, 'right '],
    [ALICE, 'x'.repeat(5_000)],
    ['nobody@example.test', 'right'],
    ['', 'right'],
  ] as const)
    assert.equal(await login(address, password), undefined, `${address} ${password.slice(0, 9)}`)
})

test('a right login is remembered, a wrong one is not, and neither helps the other', async () => {
  const { login, counter } = await countedLogin(stack.database)
  await login(ALICE, 'right')
  let asked = counter.asked
  await login(ALICE, 'right')
  assert.equal(counter.asked, asked)
  for (let round = 0; round < 2; round++) {
    assert.equal(await login(ALICE, 'wrong'), undefined)
    assert.ok(counter.asked > asked)
    asked = counter.asked
  }
})

test('a changed password, or a removed account, is known to every replica at once', async () => {
  await using other = await stack.openAnother()
  const logins = [await open(stack.database), await open(other)]
  const none = (address: string, password: string) => async () =>
    (await Promise.all(logins.map((login) => login(address, password)))).every((account) => account === undefined)
  for (const login of logins) assert.ok(await login(ALICE, 'right'))
  await updateAccount(stack.database, ALICE, { password: 'new' })
  await eventually(none(ALICE, 'right'))
  for (const login of logins) assert.ok(await login(ALICE, 'new'))
  await deleteAccount(other, ALICE)
  await eventually(none(ALICE, 'new'))
})

test('while the connection that brings the news is gone, nothing is answered from memory', async () => {
  const { login, counter } = await countedLogin(stack.database)
  await login(ALICE, 'right')
  await using news = await interruptNews()
  await eventually(() => !stack.database.hearsChanges())
  const asked = counter.asked
  await login(ALICE, 'right')
  await login(ALICE, 'right')
  assert.ok(counter.asked >= asked + 2)
  await updateAccount(stack.database, ALICE, { password: 'new' })
  assert.equal(await login(ALICE, 'right'), undefined)
  await news.restore()
  await eventually(() => stack.database.hearsChanges())
  assert.equal(await login(ALICE, 'right'), undefined)
  assert.ok(await login(ALICE, 'new'))
})

test('an address that does not exist costs as much as a wrong password', async () => {
  const login = await open(stack.database)
  // CPU time of the processes that check guesses: the clock on the wall says little on a busy machine.
  const used = () => childrenOf(process.pid).reduce((sum, pid) => sum + processorMs(pid), 0)
  const cost = async (address: string) => {
    const before = used()
    for (let round = 0; round < 4; round++) await login(address, 'wrong')
    return used() - before
  }
  await cost(ALICE)
  const known = await cost(ALICE)
  const unknown = await cost('nobody@example.test')
  assert.ok(known > 0, 'the checks are not where they are looked for')
  assert.ok(unknown > 0.5 * known, `${unknown} and ${known} ms`)
})

/** What a process has used up to now: utime and stime in ticks of 10 ms (proc(5), /proc/pid/stat). */
function processorMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
  return 10 * (Number(user) + Number(system))
}

/** Ends the listening connection and lets it not come back; the connections of the pool go on. */
async function interruptNews(): Promise<AsyncDisposable & { restore(): Promise<void> }> {
  const client = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL })
  await client.connect()
  const name = new URL(stack.url).pathname.slice(1)
  const restore = async () => {
    await client.query(`alter database ${name} allow_connections true`)
  }
  await Promise.all(Array.from({ length: 5 }, () => stack.database.query('select 2'))) // fills the pool
  await client.query(`alter database ${name} allow_connections false`)
  await client.query(
    // It has said this last; or, to see whether it is still there, "select 1".
    "select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 and (query like 'listen%' or query = 'select 1')",
    [name],
  )
  return {
    restore,
    async [Symbol.asyncDispose]() {
      await restore()
      await client.end()
    },
  }
}
