// The place of one file at which an archive is read: what its reader may use, and what it must tell.
import type { Budget } from './budget.ts'
import type { Frame, Place } from './frame.ts'
import { type Reading, trouble } from './opened.ts'
import type { SevenZip, Unpacked } from './seven-zip.ts'
import type { Format } from './signatures.ts'
import type { ZipIndex } from './zip-index.ts'

export class Site {
  readonly bytes: Buffer
  /** Where the archive begins. */
  readonly at: number
  readonly budget: Budget
  /** Read before, most likely, as a part of a member. */
  readonly isDoubtful: boolean
  /** What was read of ZIP in this file so far. */
  readonly zip: ZipIndex
  #format: Format
  #frame: Frame
  #sevenZip: SevenZip

  constructor(frame: Frame, { format, at, isDoubtful }: Place, sevenZip: SevenZip, budget: Budget) {
    this.bytes = frame.bytes
    this.at = at
    this.budget = budget
    this.isDoubtful = isDoubtful
    this.zip = isDoubtful ? frame.doubtfulZip : frame.zip
    this.#format = format
    this.#frame = frame
    this.#sevenZip = sevenZip
  }

  /**
   * From here to there is content that was read. What looks like an archive in there is most likely one inside a
   * member, so it is read again only when no member shows it.
   */
  cover(from: number, to: number): void {
    this.#frame.cover(from, to)
  }

  /** What begins there, of the same format, was read. */
  claim(at: number): void {
    this.#frame.claim(this.#format, at)
  }

  /**
   * Reads the file from the place on by 7-Zip.
   * @param hasOwnHeaders the format's files begin with headers that look like archives of their own.
   */
  *unpack(type: string, hasOwnHeaders = false, at = this.at): Reading {
    this.budget.checkTime()
    const unpacked = this.#sevenZip.unpack(this.bytes.subarray(at), type, this.budget)
    yield* unpacked.troubles
    if (!unpacked.isOpened && unpacked.troubles.length === 0) yield trouble('damaged', `no ${type}`)
    const end = unpacked.endBytes === undefined ? undefined : at + unpacked.endBytes
    if (end !== undefined && unpacked.isOpened) this.#frame.cover(at, end, hasOwnHeaders ? this.#format : undefined)
    yield* unpacked.members
    if (unpacked.limit !== undefined) throw unpacked.limit
    return end
  }

  /** Unpacks something that was made from the file by 7-Zip; a file that is longer ends it. */
  unpackOther(bytes: Buffer, type: string, fileBytes: number): Unpacked {
    this.budget.checkTime()
    return this.#sevenZip.unpack(bytes, type, this.budget, fileBytes)
  }
}
