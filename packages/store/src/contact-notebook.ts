// Notes contacts without a mail waiting for it: each pair of account and domain once a day, many in one statement. What is
// lost when a process dies is noted with the next mail.
import type { Log } from '@sekimori/runtime/log'
import { LRUCache } from 'lru-cache'
import { type Contact, noteContacts } from './correspondent.ts'
import type { Queryable } from './database.ts'

const DAY_MS = 86_400_000
const FLUSH_AFTER_MS = 1_000
const MOST_REMEMBERED = 50_000
const MOST_WAITING = 1_000

export class ContactNotebook implements AsyncDisposable {
  readonly #database: Queryable
  readonly #log: Log
  readonly #noted = new LRUCache<string, true>({ max: MOST_REMEMBERED, ttl: DAY_MS })
  #waiting: Contact[] = []
  #timer: NodeJS.Timeout | undefined
  #writing: Promise<void> = Promise.resolve()

  readonly #onNoted: (contact: Contact) => void

  constructor(database: Queryable, log: Log, onNoted: (contact: Contact) => void = () => {}) {
    this.#database = database
    this.#log = log
    this.#onNoted = onNoted
  }

  /** Notes a contact soon, unless it was noted today. */
  note(contact: Omit<Contact, 'at'>): void {
    const key = `${contact.isWrittenTo ? 'to' : 'from'} ${contact.account} ${contact.domain}`
    if (this.#noted.has(key) || this.#waiting.length >= MOST_WAITING) return
    this.#noted.set(key, true)
    this.#waiting.push({ ...contact, at: new Date() })
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_AFTER_MS)
  }

  #flush(): void {
    this.#timer = undefined
    const contacts = this.#waiting
    this.#waiting = []
    this.#writing = this.#writing
      .then(() => noteContacts(this.#database, contacts))
      .then(() => contacts.forEach(this.#onNoted))
      .catch((error) => this.#log.debug({ err: error }, 'contacts could not be noted'))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearTimeout(this.#timer)
    if (this.#waiting.length > 0) this.#flush()
    await this.#writing
  }
}
