// Counts what a walk costs, and ends it at its bounds.
import type { ArchiveLimits } from './finding.ts'

/** The whole walk ends here: for the mail, nothing more may be looked at. */
export class LimitReached extends Error {
  override name = 'LimitReached'
  readonly reason: 'size' | 'time' | 'cancelled'

  constructor(reason: 'size' | 'time' | 'cancelled', message: string) {
    super(message)
    this.reason = reason
  }
}

export interface Usage {
  outputBytes: number
  files: number
  cpuMs: number
}

/** Attempts at things that turn out to be no archive; an honest mail has a handful. */
const MAX_FAILED_ATTEMPTS = 200
/** Broken streams of which the beginning is read: each takes an instance of the unpacker. */
const MAX_BEGINNINGS = 20

export class Budget {
  readonly limits: ArchiveLimits
  #outputBytes = 0
  #files = 0
  #failedAttempts = 0
  #beginnings = 0
  #startMs = threadCpuMs()
  #isCancelled: () => boolean

  constructor(limits: ArchiveLimits, isCancelled: () => boolean = () => false) {
    this.limits = limits
    this.#isCancelled = isCancelled
  }

  get usage(): Usage {
    return { outputBytes: this.#outputBytes, files: this.#files, cpuMs: threadCpuMs() - this.#startMs }
  }

  /** How long the next file may become. */
  get nextFileBytes(): number {
    return Math.max(0, Math.min(this.limits.fileBytes, this.limits.outputBytes - this.#outputBytes))
  }

  get isOutputSpent(): boolean {
    return this.#outputBytes >= this.limits.outputBytes
  }

  /** @throws LimitReached */
  countFile(): void {
    this.checkTime()
    if (this.isOutputSpent) throw new LimitReached('size', 'too many octets')
    if (++this.#files > this.limits.files) throw new LimitReached('size', 'too many files')
  }

  countOutput(sizeBytes: number): void {
    this.#outputBytes += sizeBytes
  }

  /** @throws LimitReached */
  countFailedAttempt(): void {
    if (++this.#failedAttempts > MAX_FAILED_ATTEMPTS) throw new LimitReached('size', 'too many things like archives')
  }

  /** Whether the beginning of one more broken stream is worth its cost. That it is broken is said in any case. */
  mayReadBeginning(): boolean {
    return ++this.#beginnings <= MAX_BEGINNINGS
  }

  /** @throws LimitReached */
  checkTime(): void {
    if (this.#isCancelled()) throw new LimitReached('cancelled', 'nobody waits for it')
    if (threadCpuMs() - this.#startMs > this.limits.cpuMs) throw new LimitReached('time', 'too much processor time')
  }
}

/** Processor time of this thread so far. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
