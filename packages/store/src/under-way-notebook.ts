// What an edge has accepted a moment ago, kept in memory until it is time to see which of it has ended. A kill loses what
// was accepted in the last second or two, for the trace only: the mail itself is in the broker.
import type { JobHeader } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Log } from '@sekimori/runtime/log'
import type { Queryable } from './database.ts'
import { noteUnderWay, type UnderWay, underWay } from './under-way.ts'

/** Mail that has ended by then costs no row. */
const NOTE_AFTER_MS = 1_500
const LOOK_EVERY_MS = 500
const ROWS_AT_ONCE = 500
/** Recipients that wait while the database is slow or away; the trace learns of more of them only at their end. */
const WAITING_MOST = 100_000

interface Noted {
  mails: UnderWay[]
  dueAt: number
}

/** Disposing it writes what has not ended by then. */
export class UnderWayNotebook implements AsyncDisposable {
  readonly #database: Queryable
  readonly #log: Log
  readonly #afterMs: number
  readonly #timer: NodeJS.Timeout
  #waiting: Noted[] = []
  #recipients = 0
  #writing: Promise<void> | undefined

  constructor(database: Queryable, log: Log, afterMs = NOTE_AFTER_MS) {
    this.#database = database
    this.#log = log
    this.#afterMs = afterMs
    this.#timer = setInterval(() => void this.#look(), Math.min(LOOK_EVERY_MS, afterMs)).unref()
  }

  /** The mail was accepted. */
  note(job: JobHeader): void {
    const count = job.envelope.recipients.length
    if (this.#recipients + count > WAITING_MOST) return
    this.#recipients += count
    this.#waiting.push({ mails: underWay(job), dueAt: Date.now() + this.#afterMs })
  }

  #look(now = Date.now()): Promise<void> {
    this.#writing ??= this.#write(now).finally(() => {
      this.#writing = undefined
    })
    return this.#writing
  }

  async #write(now: number): Promise<void> {
    for (;;) {
      const { mails, taken } = this.#due(now)
      if (taken === 0 || !(await this.#isWritten(mails))) return
      this.#waiting.splice(0, taken)
      this.#recipients -= mails.length
    }
  }

  /** False when it must be tried again. What Postgres does not take now it never will. */
  async #isWritten(mails: UnderWay[]): Promise<boolean> {
    try {
      await noteUnderWay(this.#database, mails)
      return true
    } catch (error) {
      const isAway = error instanceof DependencyAway
      if (!isAway) this.#log.error({ err: error, recipients: mails.length }, 'mail under way could not be noted')
      return !isAway
    }
  }

  /** The oldest mails that are due, some hundred recipients at a time. */
  #due(now: number): { mails: UnderWay[]; taken: number } {
    const mails: UnderWay[] = []
    let taken = 0
    for (const noted of this.#waiting) {
      if (noted.dueAt > now || mails.length >= ROWS_AT_ONCE) break
      mails.push(...noted.mails)
      taken++
    }
    return { mails, taken }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    await this.#writing
    await this.#look(Number.POSITIVE_INFINITY)
  }
}
