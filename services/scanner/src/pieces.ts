// What of a mail is to be scanned besides the raw mail, and what is to be taken apart: every reading of its MIME structure,
// active content of its pages, files that may hold archives. No scanner and no unpacker is called here.
import { activeContent } from './html/active-content.ts'
import { htmlReadings } from './html/charset.ts'
import { isMail, mailParts, type Part, WalkLimitReached, type WalkLimits } from './mime/walk.ts'
import type { UnscannableReason } from './verdict.ts'

export type Piece =
  | { kind: 'scan'; bytes: Buffer }
  | FilePiece
  /** Something was found by which clamd may lose its way in the raw mail. */
  | { kind: 'odd' }
  | { kind: 'unscannable'; reason: UnscannableReason }

/** A part: it may hold archives, and it is to be scanned itself. */
export interface FilePiece {
  kind: 'file'
  bytes: Buffer
  /** clamd sees it in the raw mail, if it gets that, and unless the mail is odd. */
  isSeen: boolean
  /** The parts of it come by themselves. */
  isMail: boolean
}

/** Octets that come out of MIME readings, besides those that clamd has seen in the raw mail. */
const MOST_OUTPUT_BYTES = 96 * 1024 * 1024
/** How often each octet may be looked at: every level of nesting and every reading is one more time. */
const WORK = { timesSize: 40, atLeastBytes: 2_000_000 }
const MOST_PAGE_PIECES = 500
const HTML_START = /^\s*<[a-z!?]|<(?:!doctype|html|head|body|script|meta|table|div|img|a |p[ >]|!--|svg)/i
const HTML_TYPE = /html|xml|svg/

export interface PieceOptions {
  /** The raw mail is scanned by clamd, which reads MIME itself: what can be read in one way only is no piece. */
  isScannedRaw: boolean
  /** Called often; may throw to end the walk. */
  onStep?: () => void
}

/** The pieces of a mail. */
export function* piecesOfMail(mail: Buffer, { isScannedRaw, onStep }: PieceOptions): Generator<Piece> {
  const obstacles: UnscannableReason[] = []
  const limits: WalkLimits = {
    depth: 30,
    parts: 2_000,
    decodedBytes: MOST_OUTPUT_BYTES,
    workBytes: WORK.timesSize * mail.length + WORK.atLeastBytes,
  }
  const pages = new Pages()
  let isOdd = !isScannedRaw
  try {
    const options = {
      limits,
      onObstacle: (reason: UnscannableReason) => obstacles.push(reason),
      ...(onStep && { onStep }),
    }
    for (const part of mailParts(mail, options)) {
      // clamd decodes the raw mail itself; only a reading that it may not share is given to it once more.
      if (!part.isPlain && !isOdd) yield { kind: 'odd' }
      isOdd ||= !part.isPlain
      if (isHtml(part)) yield* pages.pieces(part)
      yield { kind: 'file', bytes: part.bytes, isSeen: !isOdd, isMail: isMail(part) }
    }
  } catch (error) {
    if (!(error instanceof WalkLimitReached)) throw error
    obstacles.push(error.reason)
  }
  if (!isOdd && obstacles.length > 0) yield { kind: 'odd' }
  for (const reason of new Set(obstacles)) yield { kind: 'unscannable', reason }
}

/** The pieces of a page that is no part of a mail. */
export function piecesOfPage(bytes: Buffer): Iterable<Piece> {
  return new Pages().pieces({ bytes, contentTypes: [] })
}

/** Counts the pieces of all pages of a mail together. */
class Pages {
  #count = 0;

  *pieces({ bytes, contentTypes }: Pick<Part, 'bytes' | 'contentTypes'>): Generator<Piece> {
    for (const text of htmlReadings(bytes, contentTypes)) {
      const found = activeContent(text)
      // What loads things is many short texts, which say something together only.
      const loading = found.filter(({ kind }) => kind === 'object').map((piece) => piece.bytes)
      if (loading.length > 0) yield { kind: 'scan', bytes: joined(loading) }
      for (const { kind, bytes: piece } of found) {
        if (kind === 'object') continue
        if (++this.#count > MOST_PAGE_PIECES) return yield { kind: 'unscannable', reason: 'size' }
        if (kind === 'data') yield { kind: 'file', bytes: piece, isSeen: false, isMail: false }
        else yield { kind: 'scan', bytes: piece }
      }
    }
  }
}

function joined(texts: Buffer[]): Buffer {
  return Buffer.concat(texts.flatMap((text, i) => (i === 0 ? [text] : [Buffer.from('\n'), text])))
}

export function isHtml({ bytes, contentType }: Pick<Part, 'bytes' | 'contentType'>): boolean {
  if (HTML_TYPE.test(contentType)) return true
  const start = bytes.toString('latin1', 0, 1_024)
  return HTML_START.test(start) || (start.includes('\0') && HTML_START.test(start.replaceAll('\0', '')))
}
