// Looks into a mail beyond what clamd sees by itself: every reading of its MIME structure, active content of its pages,
// archives of every kind. What is found inside is scanned piece by piece; what can't be looked into is said.
import { hash } from 'node:crypto'
import { type Finding, isBomb } from './archive/finding.ts'
import { PartsLeft } from './parts-left.ts'
import { type Piece, piecesOfMail } from './pieces.ts'
import type { UnscannableReason, Verdict } from './verdict.ts'

export interface InspectionPorts {
  /** One scan by clamd. @throws DependencyAway */
  scan(bytes: Buffer): Promise<Verdict>
  /** What is inside of an attachment, in a thread of its own; all attachments of one mail share their limits. */
  unpack(attachment: Buffer): AsyncIterable<Finding>
  /** All pieces of a mail, and what is inside of them, in a thread of its own. */
  takeApart(mail: Buffer): AsyncIterable<Finding>
}

export interface Inspected {
  /** The worst verdict on anything inside the mail. */
  verdict: Verdict
  /** The raw mail has to be scanned as well: what it shows openly was left to that. */
  needsRawScan: boolean
}

/** A mail up to this is taken apart where others wait meanwhile: the way to a thread would take longer. */
const SMALL_BYTES = 65_536

/** Looks into the mail. Unless a bomb is in it, the raw mail itself is not scanned here, and has to be. */
export async function inspectMail(mail: Buffer, ports: InspectionPorts): Promise<Inspected> {
  const inspection = new Inspection(ports)
  if (mail.length > SMALL_BYTES) await inspection.findings(ports.takeApart(mail))
  else await inspection.pieces(piecesOfMail(mail, { isScannedRaw: true }))
  return { verdict: inspection.worst, needsRawScan: inspection.needsRawScan }
}

/** The worse of two verdicts: infected, then unscannable, then clean. */
export function worse(a: Verdict, b: Verdict): Verdict {
  const rank = { infected: 2, unscannable: 1, clean: 0 }
  return rank[b.kind] > rank[a.kind] ? b : a
}

class Inspection {
  worst: Verdict = { kind: 'clean' }
  #ports: InspectionPorts
  #seen = new Set<string>()
  #hasBomb = false
  /** All parts of the mail were found. */
  #isWhole = true

  constructor(ports: InspectionPorts) {
    this.#ports = ports
  }

  /** clamd would unpack a bomb once more, and for longer: its parts were scanned instead. */
  get needsRawScan(): boolean {
    return this.worst.kind !== 'infected' && !(this.#hasBomb && this.#isWhole)
  }

  /** Ends early when the mail is infected: nothing more needs to be looked at. */
  async pieces(pieces: Iterable<Piece>): Promise<void> {
    const left = new PartsLeft()
    for (const piece of pieces) {
      await this.#piece(piece, left)
      if (this.worst.kind === 'infected') return
    }
    for (const bytes of left.rest()) await this.#scan(bytes)
  }

  async #piece(piece: Piece, left: PartsLeft): Promise<void> {
    switch (piece.kind) {
      case 'odd':
        left.isOdd = true
        return
      case 'unscannable':
        return this.#note(piece.reason, true)
      case 'scan':
        return this.#scan(piece.bytes)
      case 'file': {
        const isOne = await this.findings(this.#ports.unpack(piece.bytes))
        if (this.worst.kind !== 'infected') for (const bytes of left.take(piece, isOne)) await this.#scan(bytes)
      }
    }
  }

  /** Returns whether a bomb is among them. */
  async findings(findings: AsyncIterable<Finding>): Promise<boolean> {
    let hasBomb = false
    for await (const finding of findings) {
      switch (finding.kind) {
        case 'unscannable':
          this.#note(finding.reason, finding.isOfMail === true)
          hasBomb ||= isBomb(finding) && !finding.isOfMail
          break
        case 'leaf':
          await this.#scan(finding.bytes)
          break
      }
      if (this.worst.kind === 'infected') break
    }
    this.#hasBomb ||= hasBomb
    return hasBomb
  }

  #note(reason: UnscannableReason, isOfMail: boolean): void {
    this.worst = worse(this.worst, { kind: 'unscannable', reason })
    if (isOfMail && reason !== 'encrypted' && reason !== 'damaged') this.#isWhole = false
  }

  async #scan(bytes: Buffer): Promise<void> {
    if (bytes.length === 0) return
    const key = hash('sha1', bytes, 'base64')
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.worst = worse(this.worst, await this.#ports.scan(bytes))
  }
}
