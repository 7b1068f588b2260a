// Counts how sessions were encrypted and writes the sums now and then: one row for many sessions. What a crash loses are
// counts of some seconds.
import type { Log } from '@sekimori/runtime/log'
import type { TlsCount } from '@sekimori/store/tls-result'

const WRITE_EVERY_MS = 10_000
/** Strangers choose the names: more different ones than this wait for nothing. */
const ROWS_MOST = 5_000

/** Disposing it writes what is left. */
export class TlsResults implements AsyncDisposable {
  readonly #write: (counts: TlsCount[]) => Promise<void>
  readonly #log: Log
  readonly #timer: NodeJS.Timeout
  #counts = new Map<string, TlsCount>()
  #writing: Promise<void> = Promise.resolve()

  constructor(write: (counts: TlsCount[]) => Promise<void>, log: Log, everyMs = WRITE_EVERY_MS) {
    this.#write = write
    this.#log = log
    this.#timer = setInterval(() => this.#flush(), everyMs).unref()
  }

  add(result: Omit<TlsCount, 'sessions'>): void {
    const key = Object.values(result).join('\0')
    const count = this.#counts.get(key)
    if (count !== undefined) count.sessions++
    else this.#counts.set(key, { ...result, sessions: 1 })
    if (this.#counts.size >= ROWS_MOST) this.#flush()
  }

  #flush(): void {
    const counts = [...this.#counts.values()]
    if (counts.length === 0) return
    this.#counts = new Map()
    this.#writing = this.#writing
      .then(() => this.#write(counts))
      .catch((error) => this.#log.warn({ err: error, rows: counts.length }, 'TLS results were lost'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    this.#flush()
    await this.#writing
  }
}
