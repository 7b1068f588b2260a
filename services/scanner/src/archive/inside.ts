// What is inside of a file or a mail, all the way down: archives, and in them mails and pages, and in those again.
import { beginsLikeMail } from '../mime/walk.ts'
import { PartsLeft } from '../parts-left.ts'
import { isHtml, type Piece, piecesOfMail, piecesOfPage } from '../pieces.ts'
import { type Budget, LimitReached } from './budget.ts'
import { holdsPacked } from './defused.ts'
import { type Begun, type Finding, isBomb, type Leaf } from './finding.ts'
import type { SevenZip } from './seven-zip.ts'
import type { KnownParts } from './thread-messages.ts'
import { walk } from './walk.ts'

/** Mails and pages within one another, with archives between. */
const DEEPEST = 8
const TOP: Place = { depth: 0, path: '', level: 0 }

interface Place {
  /** Archives around it. */
  depth: number
  path: string
  /** Mails and pages around it. */
  level: number
}

export class Inside {
  #sevenZip: SevenZip
  #budget: Budget
  #onStep = () => this.#budget.checkTime()

  constructor(sevenZip: SevenZip, budget: Budget) {
    this.#sevenZip = sevenZip
    this.#budget = budget
  }

  /** A mail whose raw octets are scanned by somebody else, unless a bomb is in it. */
  *mail(mail: Buffer, known: KnownParts): Generator<Finding | Begun> {
    const left = new PartsLeft()
    let index = 0
    for (const piece of piecesOfMail(mail, { isScannedRaw: true, onStep: this.#onStep })) {
      if (piece.kind === 'file') {
        yield { kind: 'part', index }
        const isKnown = index < known.upTo
        const isOne = isKnown ? known.bombs.includes(index) : yield* this.#part(piece.bytes, known.isLast)
        for (const bytes of left.take(piece, isOne)) yield leaf(bytes, TOP)
        index++
      } else yield* this.#other(piece, TOP, left)
    }
    for (const bytes of left.rest()) yield leaf(bytes, TOP)
  }

  /** A file; it is not handed out itself. */
  *file(bytes: Buffer): Generator<Finding> {
    yield* this.#file(bytes, TOP)
  }

  /** A part of the mail; returns whether it is a bomb. */
  *#part(bytes: Buffer, isLast: boolean): Generator<Finding, boolean> {
    if (isLast) {
      const isPacked = holdsPacked(bytes)
      if (isPacked) yield { kind: 'unscannable', reason: 'time', path: '', detail: 'no time left' }
      return isPacked
    }
    this.#budget.beginPart()
    try {
      return yield* this.#file(bytes, TOP)
    } finally {
      this.#budget.endPart()
    }
  }

  *#file(bytes: Buffer, place: Place): Generator<Finding, boolean> {
    let isOne = false
    try {
      for (const finding of walk(bytes, this.#sevenZip, this.#budget, place)) {
        if (finding.kind === 'unscannable') {
          isOne ||= isBomb(finding)
          yield finding
        } else isOne = (yield* this.#leaf(finding, place.level + 1)) || isOne
      }
    } catch (error) {
      if (!(error instanceof LimitReached) || error.reason === 'cancelled') throw error
      yield { kind: 'unscannable', reason: error.reason, path: place.path, detail: error.message }
      return true
    }
    return isOne
  }

  *#leaf(found: Leaf, level: number): Generator<Finding, boolean> {
    const { bytes, depth, path } = found
    const isMail = beginsLikeMail(bytes)
    let isOne = false
    if (isMail || isHtml({ bytes, contentType: '' })) {
      if (level > DEEPEST) yield { kind: 'unscannable', reason: 'depth', path, detail: 'mails within archives' }
      else isOne = yield* this.#pieces(isMail ? this.#piecesOf(bytes) : piecesOfPage(bytes), { depth, path, level })
    }
    // The parts of the mail were handed out, and whoever gets all of it would unpack the bomb.
    if (!(isOne && isMail)) yield found
    return isOne
  }

  #piecesOf(mail: Buffer): Iterable<Piece> {
    return piecesOfMail(mail, { isScannedRaw: false, onStep: this.#onStep })
  }

  *#pieces(pieces: Iterable<Piece>, place: Place): Generator<Finding, boolean> {
    const left = new PartsLeft()
    for (const piece of pieces) {
      this.#budget.checkTime()
      if (piece.kind !== 'file') yield* this.#other(piece, place, left)
      else for (const bytes of left.take(piece, yield* this.#file(piece.bytes, place))) yield leaf(bytes, place)
    }
    for (const bytes of left.rest()) yield leaf(bytes, place)
    return left.hasBomb
  }

  *#other(piece: Exclude<Piece, { kind: 'file' }>, place: Place, left: PartsLeft): Generator<Finding> {
    const { path } = place
    switch (piece.kind) {
      case 'odd':
        left.isOdd = true
        break
      case 'unscannable':
        yield {
          kind: 'unscannable',
          reason: piece.reason,
          path,
          detail: 'mail',
          ...(path === '' && { isOfMail: true }),
        }
        break
      case 'scan':
        yield leaf(piece.bytes, place)
    }
  }
}

/** Who gets it may give its memory away: what may still be looked at is handed out as a copy. */
function leaf(bytes: Buffer, { depth, path }: Place): Leaf {
  return { kind: 'leaf', bytes: bytes.length === bytes.buffer.byteLength ? Buffer.from(bytes) : bytes, depth, path }
}
