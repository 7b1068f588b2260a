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
/** Of the time that is left, the most that one part of a mail gets: a bomb must hide nothing that stands behind it. */
const SHARE_OF_PART = 0.8
/** What a part behind a bomb may still use, and what all of them may use together. */
const BEHIND_BOMB = { outputBytes: 1024 * 1024, files: 100, times: 16 }

export class Budget {
  readonly limits: ArchiveLimits
  #outputBytes = 0
  #files = 0
  #failedAttempts = 0
  #beginnings = 0
  #startMs = threadCpuMs()
  #most: Usage
  #isCancelled: () => boolean

  constructor(limits: ArchiveLimits, isCancelled: () => boolean = () => false) {
    this.limits = limits
    this.#most = limits
    this.#isCancelled = isCancelled
  }

  /** One part of several begins. */
  beginPart(): void {
    const { cpuMs, outputBytes, files } = this.limits
    const used = this.usage
    const behind = (all: number, usedSoFar: number, more: number) =>
      Math.max(all, Math.min(usedSoFar + more, all + BEHIND_BOMB.times * more))
    this.#most = {
      cpuMs: used.cpuMs + SHARE_OF_PART * (cpuMs - used.cpuMs),
      outputBytes: behind(outputBytes, used.outputBytes, BEHIND_BOMB.outputBytes),
      files: behind(files, used.files, BEHIND_BOMB.files),
    }
  }

  endPart(): void {
    this.#most = this.limits
  }

  get usage(): Usage {
    return { outputBytes: this.#outputBytes, files: this.#files, cpuMs: threadCpuMs() - this.#startMs }
  }

  /** How long the next file may become. */
  get nextFileBytes(): number {
    return Math.max(0, Math.min(this.limits.fileBytes, this.#most.outputBytes - this.#outputBytes))
  }

  get isOutputSpent(): boolean {
    return this.#outputBytes >= this.#most.outputBytes
  }

  /** @throws LimitReached */
  countFile(): void {
    this.checkTime()
    if (this.isOutputSpent) throw new LimitReached('size', 'too many octets')
    if (++this.#files > this.#most.files) throw new LimitReached('size', 'too many files')
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
    if (threadCpuMs() - this.#startMs > this.#most.cpuMs) throw new LimitReached('time', 'too much processor time')
  }
}

/** Processor time of this thread so far. */
export function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1_000
}
