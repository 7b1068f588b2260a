// How many dialogues may go on at the same time: in all, and with one destination, so that a slow one holds up nobody.
import type { Outcome } from './outcome.ts'
import { Pace, type PaceLimits } from './pace.ts'

/** A place in the count, given back by disposing it. */
export interface Slot extends Disposable {
  /** Tells what came of the dialogue, which decides how many the destination gets. */
  learn(outcomes: Iterable<Outcome>): void
}

interface Waiter {
  name: string
  resolve: (slot: Slot | undefined) => void
}

interface Destination {
  pace: Pace
  taken: number
  waiting: number
  isClogged: boolean
  /** When the dialogues that are under way began; one entry each, for several may begin in the same instant. */
  begun: Map<symbol, number>
  /** How long one takes, on average of late. */
  averageMs: number
  timer?: NodeJS.Timeout | undefined
}

export interface SlotLimits extends PaceLimits {
  total: number
  /** How long to wait for a place before the destination counts as clogged. */
  waitMs: number
  /** Who may wait for a slow destination; more are turned away at once. */
  waitersWhileSlow: number
  /** The same for one whose dialogues come to their ends in no time. */
  waitersWhileQuick: number
}

/** A dialogue that takes longer is slow. */
const SLOW_MS = 1_000
const NEWEST_WEIGHT = 0.3

/** When so little of the whole is left, it is for destinations that have nothing yet. */
const RESERVE = 1 / 4
const FORGET_ABOVE = 10_000

export class Slots {
  readonly #limits: SlotLimits
  readonly #destinations = new Map<string, Destination>()
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
    const destination = this.#destination(name)
    if (destination.waiting === 0 && this.#isFree(destination)) return this.#occupy(destination)
    if (destination.isClogged || destination.waiting >= this.#waitersMost(destination)) return undefined
    return this.#wait(name, destination, signal)
  }

  async #wait(name: string, destination: Destination, signal: AbortSignal): Promise<Slot | undefined> {
    const { promise, resolve } = Promise.withResolvers<Slot | undefined>()
    const waiter: Waiter = { name, resolve }
    const giveUp = () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiter)
      resolve(undefined)
    }
    const timer = setTimeout(() => {
      destination.isClogged = true
      giveUp()
    }, this.#limits.waitMs)
    signal.addEventListener('abort', giveUp)
    this.#waiting.push(waiter)
    destination.waiting++
    this.#wakeLater(destination)
    const slot = await promise
    destination.waiting--
    clearTimeout(timer)
    signal.removeEventListener('abort', giveUp)
    return slot
  }

  #destination(name: string): Destination {
    const known = this.#destinations.get(name)
    if (known !== undefined) return known
    const destination: Destination = {
      pace: new Pace(this.#limits),
      taken: 0,
      waiting: 0,
      isClogged: false,
      begun: new Map(),
      averageMs: 0,
    }
    this.#destinations.set(name, destination)
    if (this.#destinations.size > FORGET_ABOVE) this.#forgetIdle(destination)
    return destination
  }

  #forgetIdle(newest: Destination): void {
    for (const [name, destination] of this.#destinations)
      if (destination !== newest && destination.taken + destination.waiting === 0) this.#destinations.delete(name)
  }

  #waitersMost({ averageMs, begun }: Destination): number {
    const isSlow = averageMs > SLOW_MS || performance.now() - Math.min(...begun.values()) > SLOW_MS
    return isSlow ? this.#limits.waitersWhileSlow : this.#limits.waitersWhileQuick
  }

  #isFree(destination: Destination): boolean {
    return this.#hasPlace(destination) && destination.pace.waitMs(performance.now()) === 0
  }

  #hasPlace({ taken, pace }: Destination): boolean {
    const { total } = this.#limits
    const reserved = taken === 0 ? 0 : Math.floor(total * RESERVE)
    return this.#total < total - reserved && taken < pace.dialogues
  }

  #occupy(destination: Destination): Slot {
    const startedAt = performance.now()
    const dialogue = Symbol('dialogue')
    this.#total++
    destination.taken++
    destination.pace.start(startedAt)
    destination.begun.set(dialogue, startedAt)
    return {
      learn: (outcomes) => destination.pace.learn(outcomes, startedAt, performance.now()),
      [Symbol.dispose]: () => this.#free(destination, dialogue, startedAt),
    }
  }

  #free(destination: Destination, dialogue: symbol, startedAt: number): void {
    const tookMs = performance.now() - startedAt
    this.#total--
    destination.taken--
    destination.begun.delete(dialogue)
    destination.averageMs += NEWEST_WEIGHT * (tookMs - destination.averageMs)
    destination.isClogged = false
    this.#admit()
  }

  /** Places go to the one who waits longest of those that may have one. */
  #admit(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#waiting = this.#waiting.filter((waiter) => waiter !== next)
      next.resolve(this.#occupy(this.#destination(next.name)))
    }
    for (const { name } of this.#waiting) this.#wakeLater(this.#destination(name))
  }

  #next(): Waiter | undefined {
    if (this.#total >= this.#limits.total) return undefined
    return this.#waiting.find(({ name }) => this.#isFree(this.#destination(name)))
  }

  /** A destination that only has to wait for its time is looked at again then, also when that came just now. */
  #wakeLater(destination: Destination): void {
    if (destination.timer !== undefined || !this.#hasPlace(destination)) return
    destination.timer = setTimeout(() => {
      destination.timer = undefined
      this.#admit()
    }, destination.pace.waitMs(performance.now()))
  }
}
