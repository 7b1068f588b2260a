// What is inside of a file or a mail, all the way down: archives, and in them mails and pages, and in those again.
import { beginsLikeMail } from '../mime/walk.ts'
import { isHtml, type Piece, piecesOfMail, piecesOfPage } from '../pieces.ts'
import type { Budget } from './budget.ts'
import type { Finding, Leaf } from './finding.ts'
import type { SevenZip } from './seven-zip.ts'
import { walk } from './walk.ts'

/** Mails and pages within one another, with archives between. */
const DEEPEST = 8

export class Inside {
  #sevenZip: SevenZip
  #budget: Budget

  constructor(sevenZip: SevenZip, budget: Budget) {
    this.#sevenZip = sevenZip
    this.#budget = budget
  }

  /** A mail whose raw octets are scanned by somebody else. */
  mail(mail: Buffer): Iterable<Finding> {
    const onStep = () => this.#budget.checkTime()
    return this.#pieces(piecesOfMail(mail, { isScannedRaw: true, onStep }), { depth: 0, path: '', level: 0 })
  }

  /** A file; it is not handed out itself. */
  file(bytes: Buffer): Iterable<Finding> {
    return this.#file(bytes, { depth: 0, path: '', level: 0 })
  }

  *#file(bytes: Buffer, place: Place): Generator<Finding> {
    for (const finding of walk(bytes, this.#sevenZip, this.#budget, place)) {
      if (finding.kind === 'unscannable') yield finding
      else {
        yield { ...finding, bytes: lent(finding.bytes) }
        yield* this.#inLeaf(finding, place.level + 1)
      }
    }
  }

  *#inLeaf({ bytes, depth, path }: Leaf, level: number): Generator<Finding> {
    const isMail = beginsLikeMail(bytes)
    if (!isMail && !isHtml({ bytes, contentType: '' })) return
    if (level > DEEPEST) return yield { kind: 'unscannable', reason: 'depth', path, detail: 'mails within archives' }
    const onStep = () => this.#budget.checkTime()
    const pieces = isMail ? piecesOfMail(bytes, { isScannedRaw: false, onStep }) : piecesOfPage(bytes)
    yield* this.#pieces(pieces, { depth, path, level })
  }

  *#pieces(pieces: Iterable<Piece>, place: Place): Generator<Finding> {
    for (const piece of pieces) {
      this.#budget.checkTime()
      switch (piece.kind) {
        case 'unscannable':
          yield { kind: 'unscannable', reason: piece.reason, path: place.path, detail: 'mail' }
          break
        case 'scan':
          yield { kind: 'leaf', bytes: lent(piece.bytes), depth: place.depth, path: place.path }
          break
        case 'unpack':
          yield* this.#file(piece.bytes, place)
          break
      }
    }
  }
}

interface Place {
  /** Archives around it. */
  depth: number
  path: string
  /** Mails and pages around it. */
  level: number
}

/** Who gets it may give its memory away: what is still looked at is handed out as a copy. */
function lent(bytes: Buffer): Buffer {
  return bytes.length === bytes.buffer.byteLength ? Buffer.from(bytes) : bytes
}
