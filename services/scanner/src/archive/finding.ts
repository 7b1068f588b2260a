// What a walk through archives hands out, and the bounds that it keeps.
import type { UnscannableReason } from '../verdict.ts'

/** A file that was found inside: to be scanned. */
export interface Leaf {
  kind: 'leaf'
  bytes: Buffer
  /** How many archives are around it. */
  depth: number
  /** For logs: the archives and names on the way to it, made harmless and short. */
  path: string
}

/** Something that could not be looked into. */
export interface Obstacle {
  kind: 'unscannable'
  reason: UnscannableReason
  path: string
  /** For logs. */
  detail: string
  /** It is about how the mail is put together, not about a file in it. */
  isOfMail?: true
}

export type Finding = Leaf | Obstacle

/** Told before a part of the mail is looked into, so that it is known which one ended a thread. */
export interface Begun {
  kind: 'part'
  index: number
}

/** Too large or too slow to be unpacked by anybody. */
export function isBomb({ reason }: Pick<Obstacle, 'reason'>): boolean {
  return reason === 'size' || reason === 'time'
}

/** Bounds of one mail, all its attachments together. */
export interface ArchiveLimits {
  /** Archives within one another that are opened. */
  depth: number
  /** Octets of everything that comes out of archives, at every depth. */
  outputBytes: number
  /** Octets of one file that comes out; of a longer one the beginning is handed out. */
  fileBytes: number
  /** Files and directory entries that come out. */
  files: number
  /** Processor time. */
  cpuMs: number
  /** Time by the clock, without the time that a mail waits for its turn. */
  timeMs: number
}

export const defaultLimits: ArchiveLimits = {
  depth: 16,
  outputBytes: 128 * 1024 * 1024,
  fileBytes: 64 * 1024 * 1024,
  files: 10_000,
  cpuMs: 1_500,
  timeMs: 20_000,
}
