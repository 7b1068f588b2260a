// A wait that ends early: at a time that somebody named meanwhile, or when the work is to stop.

/** What is further away than this is found by looking at the schedule now and then. */
const HORIZON_MS = 60_000
const RASTER_MS = 100

export class Alarm {
  readonly #times = new Set<number>()
  #ring: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined

  /** Ends the wait at this time (milliseconds since 1970), if it is near. */
  wakeAt(time: number): void {
    if (time > Date.now() + HORIZON_MS) return
    this.#times.add(Math.ceil(time / RASTER_MS) * RASTER_MS)
    this.#wind()
  }

  /** Resolves after `mostMs`, at a time that was named, or when the signal aborts. One wait at a time. */
  async wait(mostMs: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return
    const { promise, resolve } = Promise.withResolvers<void>()
    const ring = () => resolve()
    signal.addEventListener('abort', ring)
    this.#ring = ring
    const end = setTimeout(ring, mostMs)
    this.#wind()
    await promise
    this.#ring = undefined
    clearTimeout(end)
    clearTimeout(this.#timer)
    signal.removeEventListener('abort', ring)
    for (const time of this.#times) if (time <= Date.now()) this.#times.delete(time)
  }

  #wind(): void {
    if (this.#ring === undefined || this.#times.size === 0) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(this.#ring, Math.max(Math.min(...this.#times) - Date.now(), 0))
  }
}
