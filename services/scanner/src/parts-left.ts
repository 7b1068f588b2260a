// The parts of a mail whose scan waits until all of it was looked into: clamd sees ordinary ones in the raw mail, unless
// there is something odd about it, or a bomb in it, which clamd would unpack: then it gets the parts and not the mail.
import { defused } from './archive/defused.ts'
import type { FilePiece } from './pieces.ts'

export class PartsLeft {
  hasBomb = false
  isOdd = false
  #seen: Buffer[] = []
  #mails: FilePiece[] = []

  /** A part that was looked into; returns what of it is to be scanned at once. */
  take(piece: FilePiece, isBomb: boolean): Buffer[] {
    this.hasBomb ||= isBomb
    if (isBomb) return piece.isMail ? [] : [defused(piece.bytes)]
    if (piece.isMail) this.#mails.push(piece)
    else if (piece.isSeen) this.#seen.push(piece.bytes)
    else return [piece.bytes]
    return []
  }

  /** What is to be scanned besides. A mail within the mail may hold the bomb; what it holds came by itself. */
  rest(): Buffer[] {
    const mails = this.hasBomb ? [] : this.#mails.filter(({ isSeen }) => this.isOdd || !isSeen)
    return [...(this.hasBomb || this.isOdd ? this.#seen : []), ...mails.map(({ bytes }) => bytes)]
  }
}
