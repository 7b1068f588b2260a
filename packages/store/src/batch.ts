// Turns many small statements into few large ones: what arrives while a batch is on its way forms the next batch.
import { DependencyAway } from '@sekimori/runtime/dependency'

interface Entry<I, O> {
  item: I
  resolve: (output: O) => void
  reject: (error: unknown) => void
}

/**
 * Makes `run` (many items in, as many results out, in order) callable with one item. If a batch fails for another
 * reason than an absent server, its items are tried one by one, so that one bad item fails alone.
 */
export function batched<I, O>(run: (items: I[]) => Promise<O[]>, most = 50): (item: I) => Promise<O> {
  let waiting: Entry<I, O>[] = []
  let isRunning = false

  async function settle(entries: Entry<I, O>[]): Promise<void> {
    try {
      const outputs = await run(entries.map((entry) => entry.item))
      for (const [index, entry] of entries.entries()) entry.resolve(outputs[index]!)
    } catch (error) {
      if (entries.length === 1 || error instanceof DependencyAway) for (const entry of entries) entry.reject(error)
      else await settleOneByOne(entries)
    }
  }

  async function settleOneByOne(entries: Entry<I, O>[]): Promise<void> {
    let away: DependencyAway | undefined
    for (const { item, resolve, reject } of entries) {
      try {
        // Waiting for an absent server once is enough.
        if (away !== undefined) throw away
        const [output] = await run([item])
        resolve(output!)
      } catch (error) {
        if (error instanceof DependencyAway) away = error
        reject(error)
      }
    }
  }

  async function drain(): Promise<void> {
    isRunning = true
    while (waiting.length > 0) {
      const entries = waiting.slice(0, most)
      waiting = waiting.slice(most)
      await settle(entries)
    }
    isRunning = false
  }

  return (item) => {
    const { promise, resolve, reject } = Promise.withResolvers<O>()
    waiting.push({ item, resolve, reject })
    if (!isRunning) void Promise.resolve().then(() => (isRunning ? undefined : drain()))
    return promise
  }
}
