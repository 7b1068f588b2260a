// For tests only: the application on a database of its own, called without a socket.
import { randomBytes } from 'node:crypto'
import { createLog } from '@sekimori/runtime/log'
import type { Database } from '@sekimori/store/database'
import { createTestDatabase } from '@sekimori/testing/test-database'
import type { FastifyInstance } from 'fastify'
import { buildApp, type Context } from '../app.ts'

export const adminApiKey = 'an-operator-key-for-tests'

export interface Answer {
  status: number
  headers: Record<string, unknown>
  // biome-ignore lint/suspicious/noExplicitAny: tests assert on the JSON as clients get it
  body: any
}

export interface ApiUnderTest extends AsyncDisposable {
  app: FastifyInstance
  database: Database
  databaseUrl: string
  /** Calls as the operator, or with the headers given. `path` begins with /v1. */
  call(method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<Answer>
  /** Adds accounts, and their domains where missing. */
  addAccounts(...addresses: string[]): Promise<void>
}

/** Builds the application on a new database, or on what `around` makes of it. */
export async function openApi(
  around: (database: Database, url: string) => Database | Promise<Database> = (database) => database,
  more: Partial<Pick<Context, 'dnsServers' | 'policyHost'>> = {},
): Promise<ApiUnderTest> {
  const testDatabase = await createTestDatabase()
  const { database } = testDatabase
  const app = await buildApp({
    database: await around(database, testDatabase.url),
    log: createLog('test', 'silent'),
    adminApiKey,
    masterKey: randomBytes(32),
    mailHostname: 'mail.example.test',
    dnsServers: [],
    sendingLimits: {
      mailsPerHour: 10,
      recipientsPerHour: 20,
      recipientsPerDay: 50,
      bytesPerDay: 1_000_000,
      maxMessageBytes: 50_000,
    },
    ...more,
  })
  const call: ApiUnderTest['call'] = async (method, url, body) => {
    const headers = { authorization: `Bearer ${adminApiKey}` }
    const answer = await app.inject({
      method,
      url,
      headers,
      ...(body === undefined ? {} : { payload: body as object }),
    })
    const text = answer.payload
    return { status: answer.statusCode, headers: answer.headers, body: text === '' ? undefined : JSON.parse(text) }
  }
  return {
    app,
    database,
    databaseUrl: testDatabase.url,
    call,
    async addAccounts(...addresses) {
      for (const address of addresses) {
        await call('POST', '/v1/domains', { name: address.split('@')[1] })
        await call('POST', '/v1/accounts', { address, password: 'correct horse' })
      }
    },
    async [Symbol.asyncDispose]() {
      await app.close()
      await testDatabase[Symbol.asyncDispose]()
    },
  }
}
