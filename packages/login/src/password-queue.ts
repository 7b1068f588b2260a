// The queues before argon2: few checks at a time, so that mail keeps its share of the machine, and never many waiting. Who
// comes from a known network never waits for who does not.
import { setTimeout as wait } from 'node:timers/promises'

/** No more password checks can be taken on now. */
export class QueueFull extends Error {
  override name = 'QueueFull'
}

export interface QueueBounds {
  /** Checks for known networks that run at the same time. */
  atOnce: number
  /** The same for unknown ones, whose checks run in the background. */
  atOnceInBackground: number
  /** Checks that wait, in each lane. */
  waiting: number
  /** Checks of one unknown network that run or wait. */
  ofOneNetwork: number
  /** After a wrong guess of an unknown network, for how long its place in the lane stays empty. */
  restMs: number
}

/** A place in the lane of unknown networks. Disposing it makes room for the next. */
export interface Place extends Disposable {
  /** A check that resolves to false is followed by a rest. */
  run<T>(check: () => Promise<T>): Promise<T>
}

export class PasswordQueue {
  readonly #bounds: QueueBounds
  readonly #known: Lane
  readonly #unknown: Lane
  readonly #ofNetwork = new Map<string, number>()
  readonly #rest: (ms: number) => Promise<void>
  #places = 0

  constructor(bounds: QueueBounds, rest: (ms: number) => Promise<void> = wait) {
    this.#bounds = bounds
    this.#rest = rest
    this.#known = new Lane(bounds.atOnce)
    this.#unknown = new Lane(bounds.atOnceInBackground)
  }

  /** Runs `check` for an account that knows the network. @throws QueueFull */
  async known<T>(check: () => Promise<T>): Promise<T> {
    if (this.#known.waiting >= this.#bounds.waiting) throw new QueueFull('too many password checks are waiting')
    return this.#known.run(check)
  }

  /** A place for a network that the account does not know; before anything else is spent on it. @throws QueueFull */
  place(network: string): Place {
    const { atOnceInBackground, waiting, ofOneNetwork } = this.#bounds
    const before = this.#ofNetwork.get(network) ?? 0
    if (before >= ofOneNetwork) throw new QueueFull('too many password checks for one network')
    if (this.#places >= atOnceInBackground + waiting) throw new QueueFull('too many password checks are waiting')
    this.#ofNetwork.set(network, before + 1)
    this.#places += 1
    return { run: (check) => this.#unknown.run(() => this.#guess(check)), [Symbol.dispose]: () => this.#leave(network) }
  }

  /** The reply waits as well, so that who guesses gains nothing by a rest. */
  async #guess<T>(check: () => Promise<T>): Promise<T> {
    const result = await check()
    if (result === false) await this.#rest(this.#bounds.restMs)
    return result
  }

  #leave(network: string): void {
    this.#places -= 1
    const left = this.#ofNetwork.get(network)! - 1
    if (left === 0) this.#ofNetwork.delete(network)
    else this.#ofNetwork.set(network, left)
  }
}

/** Runs some checks at a time, the others in the order in which they came. */
class Lane {
  readonly #atOnce: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(atOnce: number) {
    this.#atOnce = atOnce
  }

  get waiting(): number {
    return this.#waiting.length
  }

  async run<T>(check: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnce) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
    try {
      return await check()
    } finally {
      const next = this.#waiting.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}
