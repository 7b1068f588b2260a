// Counts what accounts and networks use, for all replicas: each process counts by itself and writes its sums once a second,
// many in one statement; only near a limit does it ask before it answers.
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Database } from './database.ts'
import { addUsage, removeExpiredUsage } from './usage.ts'

const WINDOW_SECONDS = {
  'mails-hour': 3_600,
  'recipients-hour': 3_600,
  'recipients-day': 86_400,
  'bytes-day': 86_400,
  'connections-minute': 60,
} as const

export type UsageKind = keyof typeof WINDOW_SECONDS

export interface Spending {
  kind: UsageKind
  subject: string
  amount: number
  limit: number
}

interface Entry {
  kind: UsageKind
  subject: string
  startsAt: number
  endsAt: number
  /** The sum of all replicas when last heard; undefined before. */
  total: number | undefined
  /** Counted here since then. */
  pending: number
  /** Less than this is not worth writing yet. */
  threshold: number
}

/** This part of what is left of a limit may be used before the next writing without asking the others. */
const UNASKED = 0.1
const FLUSH_MS = 1_000
const CLEAN_MS = 600_000
/** Windows that a process remembers; the least used go first. */
const MOST_ENTRIES = 100_000

export class UsageCounter implements AsyncDisposable {
  readonly #database: Database
  readonly #entries = new Map<string, Entry>()
  readonly #asked = new Set<Entry>()
  readonly #timer: NodeJS.Timeout
  #queued: Promise<void> | undefined
  #running: Promise<void> = Promise.resolve()
  #cleanedAt = Date.now()

  constructor(database: Database, flushMs = FLUSH_MS) {
    this.#database = database
    this.#timer = setInterval(() => void this.#flush().catch(ignoreAbsence), flushMs).unref()
  }

  /** What is known to be used in the current window. */
  used(kind: UsageKind, subject: string): number {
    return usedOf(this.#entry(kind, subject))
  }

  /** Counts without asking; gives what is known to be used. Use below the threshold is not told to the others. */
  note(kind: UsageKind, subject: string, amount: number, threshold = 1): number {
    const entry = this.#entry(kind, subject)
    entry.threshold = threshold
    entry.pending += amount
    return usedOf(entry)
  }

  /** Counts all of it, or nothing: then resolves to the limit that stands against it. */
  async spend(spendings: Spending[]): Promise<Spending | undefined> {
    const wanted = spendings.map((spending) => ({ spending, entry: this.#entry(spending.kind, spending.subject) }))
    const mustAsk = () => wanted.some(({ spending, entry }) => mustAskFor(entry, spending))
    if (mustAsk()) await this.#ask(wanted.map(({ entry }) => entry))
    const over = wanted.find(({ spending: { amount, limit }, entry }) => usedOf(entry) + amount > limit)
    if (over !== undefined) return over.spending
    const isAskedAgain = mustAsk()
    for (const { spending, entry } of wanted) entry.pending += spending.amount
    if (!isAskedAgain) return undefined
    await this.#ask(wanted.map(({ entry }) => entry))
    // Another replica may have counted at the same time.
    const lost = wanted.find(({ spending, entry }) => usedOf(entry) > spending.limit)
    if (lost !== undefined) for (const { spending, entry } of wanted) entry.pending -= spending.amount
    return lost?.spending
  }

  /** Writes what is still unwritten. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer)
    for (const entry of this.#entries.values()) entry.threshold = 1
    await this.#flush().catch(ignoreAbsence)
  }

  #entry(kind: UsageKind, subject: string): Entry {
    const lengthMs = WINDOW_SECONDS[kind] * 1_000
    const startsAt = Math.floor(Date.now() / lengthMs) * lengthMs
    const key = `${kind} ${startsAt} ${subject}`
    let entry = this.#entries.get(key)
    if (entry === undefined) {
      entry = { kind, subject, startsAt, endsAt: startsAt + lengthMs, total: undefined, pending: 0, threshold: 1 }
      this.#entries.set(key, entry)
    }
    return entry
  }

  /** Hears the sums of all replicas; while the database is away, what is known here has to do. */
  async #ask(entries: Entry[]): Promise<void> {
    for (const entry of entries) this.#asked.add(entry)
    await this.#flush().catch(ignoreAbsence)
  }

  /** One statement at a time; who comes while one is on its way shares the next one. */
  #flush(): Promise<void> {
    this.#queued ??= this.#running
      .catch(() => {})
      .then(() => {
        this.#queued = undefined
        this.#running = this.#write()
        return this.#running
      })
    return this.#queued
  }

  async #write(): Promise<void> {
    const asked = new Set(this.#asked)
    this.#asked.clear()
    const all = [...this.#entries.values()]
    const rows = all
      .filter((entry) => asked.has(entry) || (entry.pending !== 0 && Math.abs(entry.pending) >= entry.threshold))
      .map((entry) => ({ entry, amount: entry.pending }))
    this.#forget()
    if (rows.length === 0) return
    const totals = await addUsage(
      this.#database,
      rows.map(({ entry: { kind, subject, startsAt, endsAt }, amount }) => ({
        kind,
        subject,
        startsAt,
        endsAt,
        amount,
      })),
    )
    for (const { entry, amount } of rows) {
      entry.pending -= amount
      entry.total = totals.get(`${entry.kind} ${entry.startsAt} ${entry.subject}`)
    }
    if (Date.now() - this.#cleanedAt < CLEAN_MS) return
    this.#cleanedAt = Date.now()
    await removeExpiredUsage(this.#database)
  }

  #forget(): void {
    const now = Date.now()
    for (const [key, entry] of this.#entries) {
      const isOver = entry.endsAt < now && Math.abs(entry.pending) < entry.threshold
      if (isOver || this.#entries.size > MOST_ENTRIES) this.#entries.delete(key)
    }
  }
}

function mustAskFor(entry: Entry, { amount, limit }: Spending): boolean {
  return entry.total === undefined || entry.pending + amount > (limit - entry.total) * UNASKED
}

function usedOf(entry: Entry): number {
  return (entry.total ?? 0) + entry.pending
}

function ignoreAbsence(error: unknown): void {
  if (!(error instanceof DependencyAway)) throw error
}
