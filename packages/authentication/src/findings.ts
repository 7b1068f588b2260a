// What verification finds out about one mail, method by method, and the lines that record it (RFC 8601).
import type { PublishedPolicy } from '@sekimori/mail/dmarc-observation'

/** Results of SPF (RFC 7208 section 2.6). */
export type SpfResult = 'none' | 'neutral' | 'pass' | 'fail' | 'softfail' | 'temperror' | 'permerror'
/** Results of DKIM (RFC 8601 section 2.7.1); `policy`: valid, but not to be relied on. */
export type DkimResult = 'none' | 'pass' | 'fail' | 'policy' | 'neutral' | 'temperror' | 'permerror'
/** Results of DMARC (RFC 9989 section 9.1). */
export type DmarcResult = 'none' | 'pass' | 'fail' | 'temperror' | 'permerror'
export type ArcResult = 'none' | 'pass' | 'fail'
export type DmarcPolicy = 'none' | 'quarantine' | 'reject'

/** `domain` is the one that was checked: of MAIL FROM, or the EHLO name. `line` is the result as RFC 8601 writes it. */
export interface SpfFinding {
  result: SpfResult
  domain: string
  line: string
}

/** One signature; `domain` is its d=, undefined where there is none to read. */
export interface DkimFinding {
  result: DkimResult
  domain?: string
  selector?: string
  line: string
}

/** `headerFrom`: the Author Domain; undefined when there is not exactly one address that can be read. */
export interface DmarcFinding {
  result: DmarcResult
  headerFrom?: string
  /** What the owner of the domain asks for when DMARC fails, with sp, np and t=y applied. */
  policy: DmarcPolicy
  /** Which of the verified identifiers belong to the author; absent when nothing was evaluated. */
  aligned?: { spf: boolean; dkim: boolean }
  /** The record that applies; undefined when there is none, or it could not be found out. */
  published?: PublishedPolicy
  line: string
}

export interface ArcFinding {
  result: ArcResult
  /** How many ARC sets the mail bears. */
  sets: number
  line: string
}

export interface Findings {
  /** The identity that counts: MAIL FROM, or the EHLO name when the reverse-path is null. Absent for mail of our own. */
  spf?: SpfFinding
  /** The EHLO name, when it says something besides MAIL FROM. */
  helo?: SpfFinding
  /** One for each signature; a mail without one has a single `none`. */
  dkim: DkimFinding[]
  dmarc: DmarcFinding
  arc?: ArcFinding
  /** The Received-SPF field (RFC 7208 section 9.1), without the receiver. */
  receivedSpf?: string
}

/** The results in the order in which the Authentication-Results field lists them. */
export function resultLines({ spf, helo, dkim, dmarc, arc }: Findings): string[] {
  return [spf, helo, ...dkim, dmarc, arc].flatMap((finding) => (finding === undefined ? [] : [finding.line]))
}
