// A database of a test's own, with today's schema, on the Postgres that the test runner names in TEST_DATABASE_URL.
import { randomBytes } from 'node:crypto'
import { type Database, openDatabase } from '@sekimori/store/database'
import pg from 'pg'
import { serviceStandIn } from './test-service.ts'

/** Disposing it closes the connections of the test and drops the database. */
export interface TestDatabase extends AsyncDisposable {
  database: Database
  /** For processes that the test starts. */
  url: string
  /** One more pool on the same database, as another replica has it. The caller disposes it. */
  openAnother(): Promise<Database>
}

/** Creates the database. Any number of test files may do so at the same time. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const empty = await createEmptyDatabase()
  const { url } = empty
  const open = () => openDatabase({ DATABASE_URL: url, DATABASE_POOL_SIZE: 5 }, serviceStandIn())
  const database = await open()
  return {
    database,
    url,
    openAnother: open,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]()
      await empty[Symbol.asyncDispose]()
    },
  }
}

/** A database without a schema. Disposing it drops it, whoever is connected. */
export async function createEmptyDatabase(): Promise<AsyncDisposable & { url: string }> {
  const server = process.env.TEST_DATABASE_URL
  if (!server) throw new Error('TEST_DATABASE_URL is not set: run npm test, or name a Postgres to create databases on')
  const name = `test_${randomBytes(8).toString('hex')}`
  await administer(server, `create database ${name}`)
  return {
    url: Object.assign(new URL(server), { pathname: `/${name}` }).href,
    [Symbol.asyncDispose]: () => administer(server, `drop database ${name} with (force)`),
  }
}

async function administer(url: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
