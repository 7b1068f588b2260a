// What was read of ZIP in one file so far: a stream is read once in each way that headers describe it, and counts as
// unreadable only when no way of reading it succeeds.
import type { Trouble } from './opened.ts'

export interface ZipEnd {
  /** Where the central directory is, if its length is true. */
  from: number
  to: number
  /** What has to be added to offsets, if the directory is where the end record says. */
  base: number
}

export class ZipIndex {
  #read = new Set<string>()
  #proven = new Set<number>()
  #troubles = new Map<number, Trouble>()
  /** Where the first local header is: archives behind a stub count from there. */
  firstLocalAt: number | undefined
  /** The end records of central directories in the file. */
  ends: ZipEnd[] | undefined
  /** The file has entries as documents have them: it is not only unpacked, but opened by programs. */
  isDocument = false

  /** Whether this is the first time that the stream is read in that way. */
  isNew(dataAt: number, way: string): boolean {
    const key = `${dataAt} ${way}`
    if (this.#read.has(key)) return false
    this.#read.add(key)
    return true
  }

  hasRead(dataAt: number): boolean {
    return this.#proven.has(dataAt) || this.#troubles.has(dataAt)
  }

  /** Some reading of the stream succeeded. */
  succeed(dataAt: number): void {
    this.#proven.add(dataAt)
    this.#troubles.delete(dataAt)
  }

  fail(dataAt: number, trouble: Trouble): void {
    if (!this.#proven.has(dataAt) && !this.#troubles.has(dataAt)) this.#troubles.set(dataAt, trouble)
  }

  get troubles(): Iterable<Trouble> {
    return this.#troubles.values()
  }
}
