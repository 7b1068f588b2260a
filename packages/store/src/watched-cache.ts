// A bounded, short-lived cache of directory facts that is emptied, on every replica, when the directory changes.
import { LRUCache } from 'lru-cache'
import type { Database } from './database.ts'

const LIFE_MS = 60_000

/** Caches what `load` answers; while news of changes can't be heard, every call loads afresh. */
export class WatchedCache<V extends {}> {
  #database: Database
  #cache: LRUCache<string, V>
  #generation = 0

  constructor(database: Database, mostEntries = 20_000) {
    this.#database = database
    this.#cache = new LRUCache({ max: mostEntries, ttl: LIFE_MS })
    database.onDirectoryChange(() => {
      this.#generation++
      this.#cache.clear()
    })
  }

  /** The cached value, or what `load` answers; undefined answers are not kept. */
  async get<T extends V | undefined>(key: string, load: () => Promise<T>): Promise<V | T> {
    if (!this.#database.hearsChanges()) return load()
    const cached = this.#cache.get(key)
    if (cached !== undefined) return cached
    const generation = this.#generation
    const value = await load()
    // A change that came meanwhile may have made this answer stale.
    if (value !== undefined && generation === this.#generation) this.#cache.set(key, value)
    return value
  }
}
