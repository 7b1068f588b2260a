// Postgres: one pool a process, and one listening connection that brings news of changes and tells whether it is there.
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Service } from '@sekimori/runtime/service'
import pg from 'pg'
import { migrate } from './migrate.ts'
import { isPostgresAway } from './postgres-away.ts'
import { Watcher } from './watcher.ts'

export const POSTGRES = 'postgres'

const CONNECT_TIMEOUT_MS = 5_000
const QUERY_TIMEOUT_MS = 60_000

interface DatabaseSettings {
  DATABASE_URL: string
  DATABASE_POOL_SIZE: number
}

type Query = <R extends pg.QueryResultRow>(
  text: string | pg.QueryConfig,
  values?: unknown[],
) => Promise<pg.QueryResult<R>>

/** What queries need: the pool, or one connection inside a transaction. */
export interface Queryable {
  query: Query
}

export interface Database extends Queryable, AsyncDisposable {
  /** Runs `work` in a transaction: commits when it resolves, rolls back when it throws. */
  transaction<T>(work: (client: Queryable) => Promise<T>): Promise<T>
  /** Calls `listener` when accounts, domains, lists or keys changed, or when such news may have been missed. */
  onDirectoryChange(listener: () => void): void
  /** False while news of changes can't arrive: then nothing may be answered from a cache. */
  hearsChanges(): boolean
}

class PostgresDatabase implements Database {
  readonly pool: pg.Pool
  #watcher: Watcher

  constructor(pool: pg.Pool, watcher: Watcher) {
    this.pool = pool
    this.#watcher = watcher
  }

  query: Query = (text, values) => this.#guard(() => this.pool.query(text as string, values))

  transaction<T>(work: (client: Queryable) => Promise<T>): Promise<T> {
    return this.#guard(async () => {
      const client = await this.pool.connect()
      let broken: Error | undefined
      // The statement on its way rejects as well; but without a listener the event would end the process.
      const onError = (error: Error) => {
        broken = error
      }
      client.on('error', onError)
      try {
        return await this.#commit(client, work)
      } catch (error) {
        if (isPostgresAway(error)) broken ??= error as Error
        throw error
      } finally {
        client.off('error', onError)
        client.release(broken)
      }
    })
  }

  async #commit<T>(client: pg.PoolClient, work: (client: Queryable) => Promise<T>): Promise<T> {
    await client.query('begin')
    let result: T
    try {
      result = await work(client as unknown as Queryable)
    } catch (error) {
      if (!isPostgresAway(error)) await client.query('rollback')
      throw error
    }
    const { command } = await client.query('commit')
    // Postgres answers so when a statement had failed, even if `work` did not mind.
    if (command !== 'COMMIT') throw new Error('the transaction was rolled back, as one of its statements failed')
    return result
  }

  onDirectoryChange(listener: () => void): void {
    this.#watcher.onChange(listener)
  }

  hearsChanges(): boolean {
    return this.#watcher.isListening
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!isPostgresAway(error)) throw error
      this.#watcher.suspect(error as Error)
      throw new DependencyAway(POSTGRES, { cause: error })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#watcher[Symbol.asyncDispose]()
    await this.pool.end()
  }
}

/** Opens the pool and waits, if need be, until Postgres is there and its schema is up to date. */
export async function openDatabase(settings: DatabaseSettings, service: Service): Promise<Database> {
  const { log, stopping, dependencies, name } = service
  const connection = {
    connectionString: settings.DATABASE_URL,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    keepAlive: true,
    application_name: name,
  }
  const watcher = new Watcher(connection, POSTGRES, dependencies, log)
  const isConnected = await watcher.connectFirst(stopping, () => migrate(settings.DATABASE_URL, log))
  if (!isConnected) return await service.leave()
  const pool = new pg.Pool({
    ...connection,
    max: settings.DATABASE_POOL_SIZE,
    idleTimeoutMillis: 30_000,
    query_timeout: QUERY_TIMEOUT_MS,
  })
  pool.on('error', (error) => watcher.suspect(error))
  return new PostgresDatabase(pool, watcher)
}
