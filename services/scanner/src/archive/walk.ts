// Walks a file through all archives in it, and all in those, and hands out every file that is none, and every reason
// why something could not be looked into.
import { type Budget, LimitReached } from './budget.ts'
import { defused } from './defused.ts'
import { type Finding, isBomb } from './finding.ts'
import { readers } from './formats.ts'
import { Frame, hashOf, type Place } from './frame.ts'
import { type Opened, type Reading, type Trouble, trouble } from './opened.ts'
import { memberPath } from './path.ts'
import { sealOf } from './sealed.ts'
import type { SevenZip } from './seven-zip.ts'
import { findCandidates } from './signatures.ts'
import { Site } from './site.ts'

/** Places in one file that look like the start of an archive. */
const MAX_CANDIDATES = 50_000
/** Wrappings that are no archives, within one another. */
const MAX_WRAPPINGS = 32

interface Blob {
  bytes: Buffer
  /** Archives around it. */
  depth: number
  /** Other wrappings around it. */
  wrappings: number
  path: string
  /** It came out of something that need not be an archive: damage in it means nothing. */
  isDoubtful: boolean
}

/**
 * What is inside of a mail's attachment; the attachment itself is not handed out. Returns whether it is a bomb.
 * @param outer archives around it.
 */
export function walk(
  attachment: Buffer,
  sevenZip: SevenZip,
  budget: Budget,
  { depth, path }: { depth: number; path: string } = { depth: 0, path: '' },
): Generator<Finding, boolean> {
  return new Walk(sevenZip, budget).blob({ bytes: attachment, depth, wrappings: 0, path, isDoubtful: false })
}

class Walk {
  #sevenZip: SevenZip
  #budget: Budget
  #seen = new Set<string>()
  /** The walk is at its end: what has come out so far is handed out, and nothing more is opened. */
  #isOver = false

  constructor(sevenZip: SevenZip, budget: Budget) {
    this.#sevenZip = sevenZip
    this.#budget = budget
  }

  /** Returns whether it is a bomb. */
  *blob(blob: Blob, outer?: Frame): Generator<Finding, boolean> {
    // Equal octets have equal insides: looked at once, even when they are inside themselves.
    const hash = hashOf(blob.bytes)
    if (blob.bytes.length === 0 || this.#seen.has(hash)) return false
    this.#seen.add(hash)
    const isTop = outer === undefined
    if (this.#isOver) {
      if (!isTop) yield leaf({ ...blob, bytes: defused(blob.bytes) })
      return true
    }
    const candidates = findCandidates(blob.bytes, MAX_CANDIDATES)
    outer?.show(blob.bytes, candidates, hash)
    const frame = new Frame(blob.bytes, candidates)
    if (candidates.length >= MAX_CANDIDATES) yield obstacle(blob.path, trouble('size', 'too many things like archives'))
    const seal = sealOf(blob.bytes)
    if (seal !== undefined) yield obstacle(blob.path, seal)
    yield* this.#inside(blob, frame)
    // An archive that was read whole is nothing but its files. Anything else, programs open as it is.
    const isOpenedAsItIs = !isTop && (!frame.isArchive || frame.hasTrouble || frame.zip.isDocument)
    if (isOpenedAsItIs) yield leaf(frame.isBomb ? { ...blob, bytes: defused(blob.bytes) } : blob)
    return frame.isBomb
  }

  *#inside(blob: Blob, frame: Frame): Generator<Finding> {
    try {
      for (const place of frame.places()) {
        this.#budget.checkTime()
        if (!this.#mayGoDeeper(blob, place)) {
          yield* this.#report(blob, frame, [trouble('depth', place.format)])
          break
        }
        yield* this.#archive(blob, frame, place)
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error
      if (error.reason === 'cancelled') throw error
      frame.hasTrouble = true
      frame.isBomb = true
      if (!this.#isOver) yield obstacle(blob.path, trouble(error.reason, error.message))
      this.#isOver = true
    }
    yield* this.#report(blob, frame, frame.zip.troubles)
    yield* this.#report({ ...blob, isDoubtful: true }, frame, frame.doubtfulZip.troubles)
  }

  *#archive(outer: Blob, frame: Frame, place: Place): Generator<Finding> {
    const { format, at } = place
    const { read, isArchive, isGuess } = readers[format]
    const isDoubtful = outer.isDoubtful || place.isDoubtful || (isGuess === true && at > 0)
    const blob = { ...outer, isDoubtful }
    let hasMembers = false
    let hasTrouble = false
    for (const opened of guarded(read(new Site(frame, place, this.#sevenZip, this.#budget)))) {
      if (opened.kind === 'trouble') {
        hasTrouble = true
        yield* this.#report(blob, frame, [opened])
      } else {
        hasMembers = true
        if (at === 0 && isArchive) frame.isArchive = true
        const path = memberPath(blob.path, format, opened.name)
        const levels = isArchive ? { depth: blob.depth + 1 } : { wrappings: blob.wrappings + 1 }
        const isInner = yield* this.blob({ ...blob, ...levels, bytes: opened.bytes, path }, frame)
        frame.isBomb ||= isInner
      }
    }
    if (!hasMembers && hasTrouble && !place.isDoubtful) this.#budget.countFailedAttempt()
  }

  *#report({ path, isDoubtful }: Blob, frame: Frame, troubles: Iterable<Trouble>): Generator<Finding> {
    for (const problem of troubles) {
      if (isDoubtful && problem.reason === 'damaged') continue
      frame.hasTrouble = true
      frame.isBomb ||= isBomb(problem)
      yield obstacle(path, problem)
    }
  }

  #mayGoDeeper({ depth, wrappings }: Blob, { format }: Place): boolean {
    return readers[format].isArchive ? depth < this.#budget.limits.depth : wrappings < MAX_WRAPPINGS
  }
}

/** A reader that fails on what it reads has found damage. */
function* guarded(reading: Reading): Generator<Opened> {
  try {
    yield* reading
  } catch (error) {
    if (error instanceof LimitReached) throw error
    yield trouble('damaged', `reader failed: ${(error as Error).message}`)
  }
}

function leaf({ bytes, depth, path }: Blob): Finding {
  return { kind: 'leaf', bytes, depth, path }
}

function obstacle(path: string, { reason, detail }: Trouble): Finding {
  return { kind: 'unscannable', reason, path, detail }
}
