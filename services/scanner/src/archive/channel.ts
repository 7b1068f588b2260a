// Hands values from a callback to a loop.

export class Channel<T> implements AsyncIterable<T> {
  #values: T[] = []
  isEnded = false
  #wake: () => void = () => {}

  push(values: Iterable<T>): void {
    this.#values.push(...values)
    this.#wake()
  }

  /** The loop ends behind the last value. */
  end(): void {
    this.isEnded = true
    this.#wake()
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T> {
    for (;;) {
      while (this.#values.length > 0) yield this.#values.shift()!
      if (this.isEnded) return
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }
}
