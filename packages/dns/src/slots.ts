// A bound on bursts: more questions at once than a server's socket buffer holds (about 230 by Linux's default) are
// dropped by the system, and each one lost so costs a whole time-out.

/** Lets so many pieces of work start; each gives up its place when it ends, or when it has held it for `holdMs`. */
export class Slots {
  #free: number
  readonly #holdMs: number
  readonly #waiting: (() => void)[] = []

  constructor(size: number, holdMs: number) {
    this.#free = size
    this.#holdMs = holdMs
  }

  /** Runs `work` when there is a place. */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    let isHeld = true
    const release = () => {
      if (isHeld) this.#pass()
      isHeld = false
    }
    const timer = setTimeout(release, this.#holdMs)
    try {
      return await work()
    } finally {
      clearTimeout(timer)
      release()
    }
  }

  #pass(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#free += 1
    else next()
  }
}
