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

/** A place in the lane of unknown networks. Disposing it makes room for the next. */
export interface Place extends Disposable {
  run<T>(check: () => Promise<T>): Promise<T>
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
  #places = 0

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds
  }

  /** Runs `check` for an account that knows the network. @throws QueueFull */
  async known<T>(check: () => Promise<T>): Promise<T> {
    if (this.#known.waiting.length >= this.#bounds.waiting) throw new QueueFull('too many password checks are waiting')
    return this.#run(this.#known, check)
  }

  /** A place for a network that the account does not know; before anything else is spent on it. @throws QueueFull */
  place(network: string): Place {
    const { atOnce, waiting, ofOneNetwork } = this.#bounds
    const before = this.#ofNetwork.get(network) ?? 0
    if (before >= ofOneNetwork) throw new QueueFull('too many password checks for one network')
    if (this.#places >= atOnce + waiting) throw new QueueFull('too many password checks are waiting')
    this.#ofNetwork.set(network, before + 1)
    this.#places += 1
    return { run: (check) => this.#run(this.#unknown, check), [Symbol.dispose]: () => this.#leave(network) }
  }

  #leave(network: string): void {
    this.#places -= 1
    const left = this.#ofNetwork.get(network)! - 1
    if (left === 0) this.#ofNetwork.delete(network)
    else this.#ofNetwork.set(network, left)
  }

  async #run<T>(lane: Lane, check: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#bounds.atOnce) await new Promise<void>((resolve) => lane.waiting.push(resolve))
    else this.#running += 1
    try {
      return await check()
    } finally {
      const next = this.#known.waiting.shift() ?? this.#unknown.waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}
