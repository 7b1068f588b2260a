// The queue before argon2: few checks at a time, so that mail keeps its share of the machine, and never many waiting.

/** No more password checks can be taken on now. */
export class QueueFull extends Error {
  override name = 'QueueFull'
}

export interface QueueBounds {
  /** Checks that run at the same time. */
  atOnce: number
  /** Checks that wait, in each lane. */
  waiting: number
  /** Checks of one unknown network that run or wait. */
  ofOneNetwork: number
}

interface Lane {
  waiting: (() => void)[]
}

/** Logins from known networks go before those from unknown ones. */
export class PasswordQueue {
  readonly #bounds: QueueBounds
  readonly #known: Lane = { waiting: [] }
  readonly #unknown: Lane = { waiting: [] }
  readonly #ofNetwork = new Map<string, number>()
  #running = 0

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds
  }

  /** Runs `check` for an account that knows the network. @throws QueueFull */
  known<T>(check: () => Promise<T>): Promise<T> {
    return this.#run(this.#known, check)
  }

  /** Runs `check` for a network that the account does not know, or for no account. @throws QueueFull */
  async unknown<T>(network: string, check: () => Promise<T>): Promise<T> {
    const before = this.#ofNetwork.get(network) ?? 0
    if (before >= this.#bounds.ofOneNetwork) throw new QueueFull('too many password checks for one network')
    this.#ofNetwork.set(network, before + 1)
    try {
      return await this.#run(this.#unknown, check)
    } finally {
      const left = this.#ofNetwork.get(network)! - 1
      if (left === 0) this.#ofNetwork.delete(network)
      else this.#ofNetwork.set(network, left)
    }
  }

  async #run<T>(lane: Lane, check: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#bounds.atOnce) await this.#turn(lane)
    else this.#running += 1
    try {
      return await check()
    } finally {
      const next = this.#known.waiting.shift() ?? this.#unknown.waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }

  /** Resolves when a place is handed over. */
  #turn(lane: Lane): Promise<void> {
    if (lane.waiting.length >= this.#bounds.waiting) throw new QueueFull('too many password checks are waiting')
    return new Promise((resolve) => lane.waiting.push(resolve))
  }
}
