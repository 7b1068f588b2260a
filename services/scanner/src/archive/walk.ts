// Walks a file through all archives in it, and all in those, and hands out every file that is none, and every reason
// why something could not be looked into.
import { hash } from 'node:crypto'
import { type Budget, LimitReached } from './budget.ts'
import type { Finding } from './finding.ts'
import { readers } from './formats.ts'
import { Frame } from './frame.ts'
import { type Opened, type Reading, type Trouble, trouble } from './opened.ts'
import { memberPath } from './path.ts'
import { sealOf } from './sealed.ts'
import type { SevenZip } from './seven-zip.ts'
import { type Candidate, findCandidates } from './signatures.ts'
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
}

/** What is inside of a mail's attachment; the attachment itself is not handed out. */
export function walk(attachment: Buffer, sevenZip: SevenZip, budget: Budget): Iterable<Finding> {
  return new Walk(sevenZip, budget).blob({ bytes: attachment, depth: 0, wrappings: 0, path: '' })
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

  *blob(blob: Blob, outer?: Frame): Generator<Finding> {
    if (blob.bytes.length === 0 || this.#isSeen(blob.bytes)) return
    const isTop = outer === undefined
    if (this.#isOver) {
      if (!isTop) yield leaf(blob)
      return
    }
    const candidates = findCandidates(blob.bytes, MAX_CANDIDATES)
    outer?.show(blob.bytes, candidates)
    const frame = new Frame(blob.bytes, candidates)
    if (candidates.length >= MAX_CANDIDATES) yield obstacle(blob.path, trouble('size', 'too many things like archives'))
    const seal = sealOf(blob.bytes)
    if (seal !== undefined) yield obstacle(blob.path, seal)
    yield* this.#inside(blob, frame)
    // An archive that was read whole is nothing but its files. Anything else, programs open as it is.
    if (!isTop && (!frame.isArchive || frame.hasTrouble || frame.zip.isDocument)) yield leaf(blob)
  }

  *#inside(blob: Blob, frame: Frame): Generator<Finding> {
    try {
      for (const candidate of frame.places()) {
        this.#budget.checkTime()
        if (!this.#mayGoDeeper(blob, candidate)) {
          yield* this.#report(blob, frame, [trouble('depth', candidate.format)])
          break
        }
        yield* this.#archive(blob, frame, candidate)
      }
    } catch (error) {
      if (!(error instanceof LimitReached)) throw error
      if (error.reason === 'cancelled') throw error
      frame.hasTrouble = true
      if (!this.#isOver) yield obstacle(blob.path, trouble(error.reason, error.message))
      this.#isOver = true
    }
    yield* this.#report(blob, frame, frame.zip.troubles)
  }

  *#archive(blob: Blob, frame: Frame, { format, at }: Candidate): Generator<Finding> {
    const { read, isArchive, isGuess } = readers[format]
    const reading = read(new Site(frame, { format, at }, this.#sevenZip, this.#budget))
    // Of a guess, troubles count only when something comes out.
    let held: Trouble[] | undefined = isGuess === true && at > 0 ? [] : undefined
    let hasMembers = false
    let hasTrouble = false
    const inner = isArchive
      ? { depth: blob.depth + 1, wrappings: blob.wrappings }
      : { depth: blob.depth, wrappings: blob.wrappings + 1 }
    for (const opened of guarded(reading)) {
      if (opened.kind === 'trouble') {
        hasTrouble = true
        if (held === undefined) yield* this.#report(blob, frame, [opened])
        else held.push(opened)
        continue
      }
      hasMembers = true
      if (held !== undefined) yield* this.#report(blob, frame, held)
      held = undefined
      if (at === 0 && isArchive) frame.isArchive = true
      yield* this.blob({ ...inner, bytes: opened.bytes, path: memberPath(blob.path, format, opened.name) }, frame)
    }
    if (!hasMembers && hasTrouble) this.#budget.countFailedAttempt()
  }

  *#report({ path }: Blob, frame: Frame, troubles: Iterable<Trouble>): Generator<Finding> {
    for (const problem of troubles) {
      frame.hasTrouble = true
      yield obstacle(path, problem)
    }
  }

  #mayGoDeeper({ depth, wrappings }: Blob, { format }: Candidate): boolean {
    return readers[format].isArchive ? depth < this.#budget.limits.depth : wrappings < MAX_WRAPPINGS
  }

  /** Equal octets have equal insides: looked at once, even when they are inside themselves. */
  #isSeen(bytes: Buffer): boolean {
    const key = hash('sha256', bytes, 'base64')
    if (this.#seen.has(key)) return true
    this.#seen.add(key)
    return false
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
