// Looks into a mail beyond what clamd sees by itself: every reading of its MIME structure, active content of its pages,
// archives of every kind. What is found inside is scanned piece by piece; what can't be looked into is said.
import { createHash } from 'node:crypto'
import type { Finding } from './archive/finding.ts'
import { activeContent } from './html/active-content.ts'
import { htmlTexts } from './html/charset.ts'
import { type Part, WalkLimitReached, type WalkLimits, walkMail } from './mime/walk.ts'
import type { UnscannableReason, Verdict } from './verdict.ts'

export interface InspectionPorts {
  /** One scan by clamd. @throws DependencyAway */
  scan(bytes: Buffer): Promise<Verdict>
  /** What is inside of an attachment; all attachments of one mail share their limits. */
  unpack(attachment: Buffer): AsyncIterable<Finding>
}

const LIMITS: WalkLimits = { depth: 30, parts: 2_000, decodedBytes: 512 * 1024 * 1024 }
const MOST_PIECES = 500
const HTML_START = /<(?:!doctype|html|head|body|script|meta|table|div|img|a |p[ >]|!--)/i

/** The worst verdict on anything inside the mail. The raw mail itself is not scanned here. */
export async function inspectMail(mail: Buffer, ports: InspectionPorts): Promise<Verdict> {
  const inspection = new Inspection(ports)
  try {
    for (const part of walkMail(mail, LIMITS)) {
      if (await inspection.part(part)) break
    }
  } catch (error) {
    if (!(error instanceof WalkLimitReached)) throw error
    inspection.note(error.reason)
  }
  return inspection.verdict()
}

/** The worse of two verdicts: infected, then unscannable, then clean. */
export function worse(a: Verdict, b: Verdict): Verdict {
  const rank = { infected: 2, unscannable: 1, clean: 0 }
  return rank[b.kind] > rank[a.kind] ? b : a
}

class Inspection {
  #ports: InspectionPorts
  #worst: Verdict = { kind: 'clean' }
  #seen = new Set<string>()
  #pieces = 0

  constructor(ports: InspectionPorts) {
    this.#ports = ports
  }

  verdict(): Verdict {
    return this.#worst
  }

  note(reason: UnscannableReason): void {
    this.#worst = worse(this.#worst, { kind: 'unscannable', reason })
  }

  /** Resolves to true when the mail is infected: nothing more needs to be looked at. */
  async part(part: Part): Promise<boolean> {
    // clamd decodes the raw mail itself; only a reading that it may not share is given to it once more.
    if (!part.isPlain && (await this.#scan(part.bytes))) return true
    if (isHtml(part) && (await this.#page(part))) return true
    return this.#unpack(part.bytes)
  }

  async #page({ bytes, contentType }: Part): Promise<boolean> {
    for (const text of htmlTexts(bytes, [contentType])) {
      for (const piece of activeContent(text)) {
        if (++this.#pieces > MOST_PIECES) {
          this.note('size')
          return false
        }
        if (await this.#scan(piece.bytes)) return true
        if (piece.kind === 'data' && (await this.#unpack(piece.bytes))) return true
      }
    }
    return false
  }

  async #unpack(bytes: Buffer): Promise<boolean> {
    for await (const finding of this.#ports.unpack(bytes)) {
      switch (finding.kind) {
        case 'unscannable':
          this.note(finding.reason)
          break
        case 'leaf':
          if (await this.#scan(finding.bytes)) return true
          break
      }
    }
    return false
  }

  async #scan(bytes: Buffer): Promise<boolean> {
    const key = createHash('sha1').update(bytes).digest('base64')
    if (bytes.length === 0 || this.#seen.has(key)) return false
    this.#seen.add(key)
    this.#worst = worse(this.#worst, await this.#ports.scan(bytes))
    return this.#worst.kind === 'infected'
  }
}

function isHtml({ bytes, contentType }: Part): boolean {
  if (/html|xml|svg/.test(contentType)) return true
  const start = bytes.toString('latin1', 0, 1_024)
  return HTML_START.test(start) || HTML_START.test(start.replaceAll('\0', ''))
}
