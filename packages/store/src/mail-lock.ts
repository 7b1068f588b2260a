// A lock on a mail that holds across replicas and ends with the process that has it: an advisory lock of Postgres, on one
// connection kept for that. For jobs that may be in two hands at a time: a stage that crashed published them twice, or the
// broker delivered them again while the connection of their first consumer was lost.
import { setTimeout as wait } from 'node:timers/promises'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Log } from '@sekimori/runtime/log'
import pg from 'pg'
import { POSTGRES } from './database.ts'
import { isPostgresAway } from './postgres-away.ts'

const RETRY_MS = 250
const CONNECT_TIMEOUT_MS = 5_000
const QUERY_TIMEOUT_MS = 10_000
/** Apart from the advisory locks of transactions, which other connections take on the same mail. */
const SEED = 1

/** When the holder's whole machine is gone, the server finds out within a minute. */
const KEEPALIVE =
  'set tcp_keepalives_idle = 30; set tcp_keepalives_interval = 10; set tcp_keepalives_count = 3; set tcp_user_timeout = 60000'

export interface MailLock extends AsyncDisposable {
  /**
   * Does the work while this process has the mail; waits while another one has it. Within one process the lock does not
   * exclude.
   * @throws DependencyAway when Postgres can't be asked; what the signal aborts with, while waiting.
   */
  during<T>(queueId: string, signal: AbortSignal, work: () => Promise<T>): Promise<T>
}

/** Connects when the lock is first asked for, and again when the connection was lost. */
export function openMailLock(settings: { DATABASE_URL: string }, { name, log }: { name: string; log: Log }): MailLock {
  return new PostgresMailLock({ connectionString: settings.DATABASE_URL, application_name: `${name} lock` }, log)
}

class PostgresMailLock implements MailLock {
  readonly #config: pg.ClientConfig
  readonly #log: Log
  #open: Promise<pg.Client> | undefined
  #lastQuery: Promise<unknown> = Promise.resolve()

  constructor(config: pg.ClientConfig, log: Log) {
    this.#config = { ...config, connectionTimeoutMillis: CONNECT_TIMEOUT_MS, query_timeout: QUERY_TIMEOUT_MS }
    this.#log = log
  }

  async during<T>(queueId: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
    let client = await this.#take(queueId)
    while (client === undefined) {
      await wait(RETRY_MS, undefined, { signal })
      client = await this.#take(queueId)
    }
    try {
      return await work()
    } finally {
      await this.#release(client, queueId)
    }
  }

  /** Resolves to the connection that has the lock, or to undefined when somebody else has it. */
  async #take(queueId: string): Promise<pg.Client | undefined> {
    const opening = this.#connect()
    try {
      const client = await opening
      return (await this.#ask(client, 'pg_try_advisory_lock', queueId)) ? client : undefined
    } catch (error) {
      await this.#abandon(opening)
      throw isPostgresAway(error) ? new DependencyAway(POSTGRES, { cause: error }) : error
    }
  }

  /** With a connection that is lost its locks are, too. */
  async #release(client: pg.Client, queueId: string): Promise<void> {
    const opening = this.#open
    if (opening === undefined || (await opening.catch(() => undefined)) !== client) return
    try {
      await this.#ask(client, 'pg_advisory_unlock', queueId)
    } catch (error) {
      this.#log.warn({ err: error, queueId }, 'a mail lock could not be released but with its connection')
      await this.#abandon(opening)
    }
  }

  /** One query at a time: the connection takes no more. */
  #ask(client: pg.Client, name: 'pg_try_advisory_lock' | 'pg_advisory_unlock', queueId: string): Promise<boolean> {
    const text = `select ${name}(hashtextextended($1, ${SEED})) as is_done`
    const ask = async () =>
      (await client.query<{ is_done: boolean }>({ name, text, values: [queueId] })).rows[0]!.is_done
    const answer = this.#lastQuery.then(ask)
    this.#lastQuery = answer.catch(() => {}) // its own caller hears of it
    return answer
  }

  #connect(): Promise<pg.Client> {
    if (this.#open !== undefined) return this.#open
    const client = new pg.Client(this.#config)
    const opening = client.connect().then(async () => {
      await client.query(KEEPALIVE)
      return client
    })
    const forget = () => {
      if (this.#open === opening) this.#open = undefined
    }
    client.on('error', forget)
    client.on('end', forget)
    this.#open = opening
    return opening
  }

  async #abandon(opening: Promise<pg.Client> | undefined): Promise<void> {
    if (this.#open === opening) this.#open = undefined
    const client = await opening?.catch(() => undefined) // who asked for the connection was told why there is none
    await client?.end().catch((error) => this.#log.debug({ err: error }, 'the lock connection was broken already'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#abandon(this.#open)
  }
}
