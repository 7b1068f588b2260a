// Counts things of a kind in memory and writes the sums now and then: one row for many. What a crash loses are the counts of
// some seconds.
import type { Log } from '@sekimori/runtime/log'

const WRITE_EVERY_MS = 5_000
/** Strangers choose the names: more different ones than this wait for nothing. */
const ROWS_MOST = 2_000
/** Rows that wait while the database is slow or away; more are lost. */
const WAITING_MOST = 20_000

export interface Counted<T> {
  item: T
  count: number
}

/** Disposing it writes what is left. */
export class Tally<T extends object> implements AsyncDisposable {
  readonly #write: (counted: Counted<T>[]) => Promise<void>
  readonly #log: Log
  readonly #timer: NodeJS.Timeout
  #counts = new Map<string, Counted<T>>()
  #writing: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(write: (counted: Counted<T>[]) => Promise<void>, log: Log, everyMs = WRITE_EVERY_MS) {
    this.#write = write
    this.#log = log
    this.#timer = setInterval(() => this.#flush(), everyMs).unref()
  }

  /** Counts one; items are the same when they are as JSON. */
  add(item: T): void {
    const key = JSON.stringify(item)
    const counted = this.#counts.get(key)
    if (counted !== undefined) counted.count++
    else this.#counts.set(key, { item, count: 1 })
    if (this.#counts.size >= ROWS_MOST) this.#flush()
  }

  #flush(): void {
    const counted = [...this.#counts.values()]
    if (counted.length === 0) return
    this.#counts = new Map()
    if (this.#waiting + counted.length > WAITING_MOST) {
      this.#log.warn({ rows: counted.length }, 'counts were lost: the database does not keep up')
      return
    }
    this.#waiting += counted.length
    this.#writing = this.#writing
      .then(() => this.#write(counted))
      .catch((error) => this.#log.warn({ err: error, rows: counted.length }, 'counts were lost'))
      .finally(() => {
        this.#waiting -= counted.length
      })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#flush()
    await this.#writing
  }
}
