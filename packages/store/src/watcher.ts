// The listening connection: news of changes (LISTEN/NOTIFY), and the probe that says whether Postgres is there.
import { setTimeout as wait } from 'node:timers/promises'
import type { Dependencies } from '@sekimori/runtime/dependency'
import type { Log } from '@sekimori/runtime/log'
import pg from 'pg'

const CHANNEL = 'directory_changed'

export interface WatcherTimes {
  /** Between two tries to connect. */
  retryMs: number
  /** Between two probes of a connection that says nothing. */
  probeMs: number
  /** How long an answer may take. */
  answerMs: number
}

/** Keeps one connection with LISTEN; reconnects for ever. */
export class Watcher implements AsyncDisposable {
  #config: pg.ClientConfig
  #dependency: string
  #dependencies: Dependencies
  #log: Log
  #times: WatcherTimes
  #listeners: (() => void)[] = []
  #client: pg.Client | undefined
  #closing = new AbortController()
  #recovery: Promise<void> | undefined
  #probing: Promise<void> | undefined

  constructor(
    config: pg.ClientConfig,
    dependency: string,
    dependencies: Dependencies,
    log: Log,
    times: WatcherTimes = { retryMs: 500, probeMs: 10_000, answerMs: 5_000 },
  ) {
    this.#config = config
    this.#dependency = dependency
    this.#dependencies = dependencies
    this.#log = log
    this.#times = times
  }

  get isListening(): boolean {
    return this.#client !== undefined
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Prepares (migrations) and connects, trying until it works; resolves to false when the process stops before. */
  async connectFirst(stopping: AbortSignal, prepare: () => Promise<void>): Promise<boolean> {
    for (;;) {
      try {
        await prepare()
        await this.#connect()
        break
      } catch (error) {
        this.#log.warn({ err: error }, 'database not usable yet')
        this.#dependencies.down(this.#dependency, (error as Error).message)
        await wait(this.#times.retryMs, undefined, { signal: stopping }).catch(() => {}) // stopping is looked at next
        if (stopping.aborted) return false
      }
    }
    this.#probing = this.#probe()
    return true
  }

  /** Somebody's query failed as if Postgres were away: believe it, and ask until it answers. */
  suspect(error: Error): void {
    if (this.#closing.signal.aborted) return
    this.#dependencies.down(this.#dependency, error.message)
    this.#recovery ??= this.#recover().finally(() => {
      this.#recovery = undefined
    })
  }

  async #recover(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        if (this.#client === undefined) await this.#connect()
        else await this.#client.query('select 1')
        this.#dependencies.up(this.#dependency)
        return
      } catch (error) {
        this.#log.debug({ err: error }, 'postgres still away')
        this.#drop()
        await this.#pause(this.#times.retryMs)
      }
    }
  }

  /** A connection may die without a sign; it must not look for long as if it listened. */
  async #probe(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      await this.#pause(this.#times.probeMs)
      const client = this.#client
      await client?.query('select 1').catch((error) => this.#lost(client, error))
    }
  }

  async #pause(ms: number): Promise<void> {
    const { signal } = this.#closing
    await wait(ms, undefined, { signal }).catch(() => {}) // closing ends the pause
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({ ...this.#config, query_timeout: this.#times.answerMs })
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('connection ended')))
    client.on('notification', () => this.#announce())
    try {
      await client.connect()
      await client.query(`listen ${CHANNEL}`)
    } catch (error) {
      letGo(client)
      throw error
    }
    this.#client = client
    this.#announce()
    this.#dependencies.up(this.#dependency)
  }

  #lost(client: pg.Client, error: Error): void {
    if (this.#client !== client) return
    this.#drop()
    this.suspect(error)
  }

  #drop(): void {
    const client = this.#client
    if (client === undefined) return
    this.#client = undefined
    this.#announce()
    letGo(client)
  }

  #announce(): void {
    for (const listener of this.#listeners) listener()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#recovery
    const client = this.#client
    this.#client = undefined
    await client?.end()
    await this.#probing
  }
}

function letGo(client: pg.Client): void {
  client.end().catch(() => {}) // it is broken already
}
