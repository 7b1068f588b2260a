// A server that this process depends on (Postgres, the broker, clamd): is it there, and wait until it is.

/** The work could not be done because a dependency is away: hold it and try again, it is nobody's failed attempt. */
export class DependencyAway extends Error {
  override name = 'DependencyAway'
  readonly dependency: string

  constructor(dependency: string, options?: ErrorOptions) {
    const cause = options?.cause
    super(`${dependency} is away${cause instanceof Error ? `: ${cause.message}` : ''}`, options)
    this.dependency = dependency
  }
}

/** The state of the dependencies of one process; `/readyz` shows it. Adapters probe and report. */
export class Dependencies {
  #away = new Map<string, string>()
  #waiting = new Set<() => void>()
  #onChange: (name: string, isUp: boolean, reason: string) => void

  constructor(onChange: (name: string, isUp: boolean, reason: string) => void = () => {}) {
    this.#onChange = onChange
  }

  /** Notes that the dependency does not answer; `reason` is shown to operators. */
  down(name: string, reason: string): void {
    if (!this.#away.has(name)) this.#onChange(name, false, reason)
    this.#away.set(name, reason)
  }

  /** Notes that the dependency answers. */
  up(name: string): void {
    if (!this.#away.delete(name)) return
    this.#onChange(name, true, '')
    if (this.#away.size > 0) return
    for (const proceed of [...this.#waiting]) proceed()
  }

  /** The dependencies that are away, with the reason. */
  away(): Record<string, string> {
    return Object.fromEntries(this.#away)
  }

  /** Resolves when no dependency is away, or when the signal aborts. */
  whenUp(signal: AbortSignal): Promise<void> {
    if (this.#away.size === 0 || signal.aborted) return Promise.resolve()
    return new Promise((resolve) => {
      const proceed = () => {
        signal.removeEventListener('abort', proceed)
        this.#waiting.delete(proceed)
        resolve()
      }
      this.#waiting.add(proceed)
      signal.addEventListener('abort', proceed)
    })
  }
}
