// When the broker's connection breaks, it delivers a job again while its first delivery is still being worked on here.

/** A function that does one message of the same key after the other; different keys don't wait for one another. */
export function inTurns<M, R>(
  keyOf: (message: M) => string,
  work: (message: M) => Promise<R>,
): (message: M) => Promise<R> {
  const last = new Map<string, Promise<unknown>>()
  return async (message) => {
    const key = keyOf(message)
    const before = last.get(key)
    const mine = (async () => {
      await before?.catch(() => {}) // its own caller hears of it
      return work(message)
    })()
    last.set(key, mine)
    try {
      return await mine
    } finally {
      if (last.get(key) === mine) last.delete(key)
    }
  }
}
