// Who walks next: threads for everybody, and one that only takes mails that have not been slow, so that a mail full of
// bombs waits behind itself and not before others.

export type Lane = 'all' | 'quick'

export interface Turn<T> {
  lane: Lane
  thread: T
}

interface Waiting<T> {
  isSlow: boolean
  begin: (turn: Turn<T>) => void
}

export class Turns<T> {
  #free: Turn<T>[]
  #waiting: Waiting<T>[] = []

  constructor(forAll: T[], quick: T[]) {
    const turns = (lane: Lane) => (thread: T) => ({ lane, thread })
    this.#free = [...forAll.map(turns('all')), ...quick.map(turns('quick'))]
  }

  /** How many wait. */
  get waiting(): number {
    return this.#waiting.length
  }

  /** @param isSlow has been slow before, so the quick lane is not for it. */
  take(isSlow: boolean): Promise<Turn<T>> {
    const { promise, resolve } = Promise.withResolvers<Turn<T>>()
    this.#waiting.push({ isSlow, begin: resolve })
    this.#match()
    return promise
  }

  giveBack(turn: Turn<T>): void {
    // Those for all first, for they let a mail take its time.
    if (turn.lane === 'all') this.#free.unshift(turn)
    else this.#free.push(turn)
    this.#match()
  }

  #match(): void {
    for (const turn of [...this.#free]) {
      const index = this.#waiting.findIndex(({ isSlow }) => turn.lane === 'all' || !isSlow)
      if (index < 0) continue
      const [next] = this.#waiting.splice(index, 1)
      this.#free.splice(this.#free.indexOf(turn), 1)
      next!.begin(turn)
    }
  }
}
