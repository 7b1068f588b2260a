// Looks into a mail beyond what clamd sees by itself: every reading of its MIME structure, active content of its pages,
// archives of every kind. What is found inside is scanned piece by piece; what can't be looked into is said.
import { createHash } from 'node:crypto'
import type { Finding } from './archive/finding.ts'
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

/** A mail up to this is taken apart where others wait meanwhile: the way to a thread would take longer. */
const SMALL_BYTES = 65_536

/** The worst verdict on anything inside the mail. The raw mail itself is not scanned here. */
export async function inspectMail(mail: Buffer, ports: InspectionPorts): Promise<Verdict> {
  const inspection = new Inspection(ports)
  if (mail.length > SMALL_BYTES) await inspection.findings(ports.takeApart(mail))
  else await inspection.pieces(piecesOfMail(mail, { isScannedRaw: true }))
  return inspection.worst
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

  constructor(ports: InspectionPorts) {
    this.#ports = ports
  }

  /** Ends early when the mail is infected: nothing more needs to be looked at. */
  async pieces(pieces: Iterable<Piece>): Promise<void> {
    for (const piece of pieces) {
      switch (piece.kind) {
        case 'unscannable':
          this.#note(piece.reason)
          break
        case 'scan':
          await this.#scan(piece.bytes)
          break
        case 'unpack':
          await this.findings(this.#ports.unpack(piece.bytes))
          break
      }
      if (this.worst.kind === 'infected') return
    }
  }

  async findings(findings: AsyncIterable<Finding>): Promise<void> {
    for await (const finding of findings) {
      switch (finding.kind) {
        case 'unscannable':
          this.#note(finding.reason)
          break
        case 'leaf':
          await this.#scan(finding.bytes)
          break
      }
      if (this.worst.kind === 'infected') return
    }
  }

  #note(reason: UnscannableReason): void {
    this.worst = worse(this.worst, { kind: 'unscannable', reason })
  }

  async #scan(bytes: Buffer): Promise<void> {
    const key = createHash('sha1').update(bytes).digest('base64')
    if (bytes.length === 0 || this.#seen.has(key)) return
    this.#seen.add(key)
    this.worst = worse(this.worst, await this.#ports.scan(bytes))
  }
}
