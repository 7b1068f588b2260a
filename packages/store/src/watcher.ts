// The listening connection: news of changes (LISTEN/NOTIFY), and the probe that says whether Postgres is there.
import { setTimeout as wait } from 'node:timers/promises'
import type { Dependencies } from '@sekimori/runtime/dependency'
import type { Log } from '@sekimori/runtime/log'
import pg from 'pg'

const RETRY_MS = 500
const CHANNEL = 'directory_changed'

/** Keeps one connection with LISTEN; reconnects for ever. */
export class Watcher implements AsyncDisposable {
  isListening = false
  #config: pg.ClientConfig
  #dependency: string
  #dependencies: Dependencies
  #log: Log
  #listeners: (() => void)[] = []
  #client: pg.Client | undefined
  #closing = new AbortController()
  #recovery: Promise<void> | undefined

  constructor(config: pg.ClientConfig, dependency: string, dependencies: Dependencies, log: Log) {
    this.#config = config
    this.#dependency = dependency
    this.#dependencies = dependencies
    this.#log = log
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  /** Prepares (migrations) and connects, trying until it works or the process stops. */
  async connectFirst(stopping: AbortSignal, prepare: () => Promise<void>): Promise<void> {
    for (;;) {
      try {
        await prepare()
        return await this.#connect()
      } catch (error) {
        if (stopping.aborted) throw error
        this.#log.debug({ err: error }, 'postgres not reached yet')
        this.#dependencies.down(this.#dependency, (error as Error).message)
        await wait(RETRY_MS)
      }
    }
  }

  /** Somebody's query failed as if Postgres were away: believe it, and probe until it answers. */
  suspect(error: Error): void {
    this.#dependencies.down(this.#dependency, error.message)
    this.#recovery ??= this.#recover().finally(() => {
      this.#recovery = undefined
    })
  }

  async #recover(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        if (this.isListening) await this.#client!.query('select 1')
        else await this.#connect()
        this.#dependencies.up(this.#dependency)
        return
      } catch (error) {
        this.#log.debug({ err: error }, 'postgres still away')
        await wait(RETRY_MS, undefined, { signal: this.#closing.signal }).catch(() => {}) // closing ends the loop
      }
    }
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({ ...this.#config, query_timeout: 5_000 })
    client.on('error', (error) => this.#lost(client, error))
    client.on('end', () => this.#lost(client, new Error('connection ended')))
    client.on('notification', () => this.#announce())
    await client.connect()
    await client.query(`listen ${CHANNEL}`)
    this.#client = client
    this.isListening = true
    this.#announce()
    this.#dependencies.up(this.#dependency)
  }

  #lost(client: pg.Client, error: Error): void {
    if (this.#client !== client) return
    this.#client = undefined
    this.isListening = false
    this.#announce()
    if (!this.#closing.signal.aborted) this.suspect(error)
  }

  #announce(): void {
    for (const listener of this.#listeners) listener()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort()
    await this.#recovery
    await this.#client?.end()
  }
}
