// Transactions and failures on a real Postgres: no connection leaks, and an absent server is told from a refused statement.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { openCuttableProxy } from '@sekimori/testing/cuttable-proxy'
import { eventually } from '@sekimori/testing/eventually'
import { createTestDatabase, type TestDatabase } from '@sekimori/testing/test-database'
import { serviceStandIn } from '@sekimori/testing/test-service'
import pg from 'pg'
import { openDatabase, type Queryable } from './database.ts'
import { isPostgresAway } from './postgres-away.ts'

let stack: TestDatabase
before(async () => {
  stack = await createTestDatabase()
  await stack.database.query('create table note (text text primary key)')
})
after(() => stack[Symbol.asyncDispose]())

const insert = (client: Queryable, text: string) => client.query('insert into note values ($1)', [text])
const isThere = async (text: string) =>
  (await stack.database.query('select from note where text = $1', [text])).rowCount === 1

/** Ends the connection that the transaction works on, as a Postgres that restarts does. */
async function terminate(client: Queryable): Promise<void> {
  const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
  await stack.database.query('select pg_terminate_backend($1)', [rows[0]!.pid])
}

test('a transaction commits what it did, and rolls all of it back when the work throws', async () => {
  assert.equal(await stack.database.transaction(async (client) => (await insert(client, 'kept')).rowCount), 1)
  assert.ok(await isThere('kept'))
  const work = async (client: Queryable) => {
    await insert(client, 'dropped')
    throw new RangeError('changed my mind')
  }
  await assert.rejects(stack.database.transaction(work), RangeError)
  assert.equal(await isThere('dropped'), false)
})

test('a statement that failed fails the transaction, even when the work does not mind', async () => {
  const work = async (client: Queryable) => {
    await insert(client, 'before')
    await assert.rejects(insert(client, 'kept'), { code: '23505' })
  }
  await assert.rejects(stack.database.transaction(work), /rolled back/)
  assert.equal(await isThere('before'), false)
})

test('the connection goes back after success, failure and termination: more of each than the pool has', async () => {
  for (let round = 0; round < 6; round++) {
    await stack.database.transaction(async (client) => client.query('select 1'))
    await assert.rejects(stack.database.transaction((client) => insert(client, 'kept')))
    const terminated = stack.database.transaction(async (client) => {
      await terminate(client)
      await client.query('select 1')
    })
    await assert.rejects(terminated, DependencyAway)
  }
  const all = Array.from({ length: 5 }, () => stack.database.transaction((client) => client.query('select 1')))
  await Promise.all(all)
})

test('a connection that ends between two statements of a transaction ends nothing else', async () => {
  const idle = stack.database.transaction(async (client) => {
    await terminate(client)
    // Long enough for the news of the end to come in while no statement is on its way.
    await eventually(async () => {
      const { rowCount } = await stack.database.query(
        "select from pg_stat_activity where state = 'idle in transaction' and datname = current_database()",
      )
      return rowCount === 0
    })
    await new Promise(setImmediate)
    await insert(client, 'too late')
  })
  await assert.rejects(idle, DependencyAway)
  assert.equal(await isThere('too late'), false)
})

test('a Postgres that is away is DependencyAway at once, and is used again when it is back', async () => {
  await using proxy = await openCuttableProxy(stack.url)
  const service = serviceStandIn()
  const url = Object.assign(new URL(stack.url), { port: proxy.port }).href
  await using database = await openDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE: 2 }, service)
  await database.query('select 1')
  proxy.refuse()
  proxy.cut()
  await assert.rejects(database.query('select 1'), DependencyAway)
  await assert.rejects(
    database.transaction((client) => client.query('select 1')),
    DependencyAway,
  )
  await eventually(() => service.dependencies.away().postgres)
  assert.equal(database.hearsChanges(), false)
  await proxy.accept()
  await service.dependencies.whenUp(new AbortController().signal)
  await database.query('select 1')
  assert.equal(database.hearsChanges(), true)
})

test('errors that speak of an absent server are told from errors of a statement', async () => {
  for (const code of ['ECONNREFUSED', 'ECONNRESET', '57P01', '57P03', '08006', '53100', '53300', '28P01', '25006'])
    assert.ok(isPostgresAway(Object.assign(new Error('x'), { code })), code)
  for (const message of ['Connection terminated unexpectedly', 'timeout exceeded when trying to connect'])
    assert.ok(isPostgresAway(new Error(message)), message)
  for (const code of ['23505', '23503', '22P02', '40P01', '42P01', 'EPERM', ''])
    assert.equal(isPostgresAway(Object.assign(new Error('x'), { code })), false, code)
  for (const odd of [undefined, null, 'text', 7]) assert.equal(isPostgresAway(odd), false)
  const nobody = new pg.Client({ connectionString: 'postgres://127.0.0.1:1/x' })
  await assert.rejects(nobody.connect(), isPostgresAway)
})
