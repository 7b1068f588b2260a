// Mail goes before guesses: while a command of a client that has logged in is under way, checks in the background stand still. A
// processor that is lent to one of them is not idle, so Linux looks for no other work for it while mail waits on the next.

/** What can stand still. */
export interface Pausable {
  pause(): void
  resume(): void
}

/** The commands of one mail, and what the services do with it then, follow one another sooner than that. */
const QUIET_MS = 15

export class MailFirst {
  readonly #background: Pausable
  readonly #quietMs: number
  #underWay = 0
  #isPaused = false
  #quiet: NodeJS.Timeout | undefined

  constructor(background: Pausable, quietMs = QUIET_MS) {
    this.#background = background
    this.#quietMs = quietMs
  }

  /** Does `work` while nothing runs in the background; that goes on after a moment without such work. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.#underWay += 1
    if (!this.#isPaused) {
      this.#isPaused = true
      this.#background.pause()
    }
    try {
      return await work()
    } finally {
      this.#underWay -= 1
      clearTimeout(this.#quiet)
      this.#quiet = setTimeout(() => this.#resume(), this.#quietMs)
    }
  }

  #resume(): void {
    if (this.#underWay > 0) return
    this.#isPaused = false
    this.#background.resume()
  }
}
