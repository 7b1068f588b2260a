// How many dialogues may go on at the same time: in all, and with one destination, so that a slow one holds up nobody.

/** A place in the count, given back by disposing it. */
export type Slot = Disposable

interface Waiter {
  name: string
  resolve: (slot: Slot | undefined) => void
}

export interface SlotLimits {
  total: number
  perDestination: number
  /** How long to wait for a place before the destination counts as clogged. */
  waitMs: number
}

export class Slots {
  readonly #limits: SlotLimits
  readonly #taken = new Map<string, number>()
  readonly #clogged = new Set<string>()
  #waiting: Waiter[] = []
  #total = 0

  constructor(limits: SlotLimits) {
    this.#limits = limits
  }

  /**
   * Resolves to a place, or to undefined when there is none for a while: then the mail is better put off than held.
   * After such a wait the next ones for this destination don't wait, until one of its dialogues has ended.
   */
  async take(name: string, signal: AbortSignal): Promise<Slot | undefined> {
    if (signal.aborted) return undefined
    if (this.#isFree(name)) return this.#occupy(name)
    if (this.#clogged.has(name)) return undefined
    const { promise, resolve } = Promise.withResolvers<Slot | undefined>()
    const waiter: Waiter = { name, resolve }
    const giveUp = () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter)
      resolve(undefined)
    }
    const timer = setTimeout(() => {
      this.#clogged.add(name)
      giveUp()
    }, this.#limits.waitMs)
    signal.addEventListener('abort', giveUp)
    this.#waiting.push(waiter)
    const slot = await promise
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
    return slot
  }

  #isFree(name: string): boolean {
    return this.#total < this.#limits.total && (this.#taken.get(name) ?? 0) < this.#limits.perDestination
  }

  #occupy(name: string): Slot {
    this.#total++
    this.#taken.set(name, (this.#taken.get(name) ?? 0) + 1)
    return { [Symbol.dispose]: () => this.#free(name) }
  }

  #free(name: string): void {
    this.#total--
    const rest = this.#taken.get(name)! - 1
    if (rest === 0) this.#taken.delete(name)
    else this.#taken.set(name, rest)
    this.#clogged.delete(name)
    const index = this.#waiting.findIndex((waiter) => this.#isFree(waiter.name))
    if (index < 0) return
    const [waiter] = this.#waiting.splice(index, 1)
    waiter!.resolve(this.#occupy(waiter!.name))
  }
}
