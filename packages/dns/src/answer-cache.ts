// Answers kept for as long as they may be: bounded in number and in bytes, least recently used out first.
import { LRUCache } from 'lru-cache'
import type { Answer } from './answer.ts'

interface Kept {
  answer: Answer
  expiresAtMs: number
}

/** Room for an answer of ordinary size; a few large ones take several entries' room. */
const BYTES_PER_ENTRY = 1024

export class AnswerCache {
  readonly #kept: LRUCache<string, Kept>
  readonly #now: () => number

  /** `now` gives milliseconds on a clock that never goes back. */
  constructor(maxEntries: number, now: () => number) {
    this.#kept = new LRUCache({ max: maxEntries, maxSize: maxEntries * BYTES_PER_ENTRY })
    this.#now = now
  }

  get(key: string): Answer | undefined {
    const kept = this.#kept.get(key)
    if (kept === undefined) return undefined
    if (kept.expiresAtMs > this.#now()) return kept.answer
    this.#kept.delete(key)
    return undefined
  }

  /** Keeps an answer for its TTL; one of 0 is not kept. */
  set(key: string, answer: Answer, sizeBytes: number): void {
    if (answer.ttlSeconds <= 0) return
    const expiresAtMs = this.#now() + answer.ttlSeconds * 1000
    this.#kept.set(key, { answer, expiresAtMs }, { size: key.length + sizeBytes })
  }

  get entries(): number {
    return this.#kept.size
  }
}
