// What the reader of one format hands out: the files of an archive, and what of it could not be read.
import type { UnscannableReason } from '../verdict.ts'

export interface Member {
  kind: 'member'
  name: string
  bytes: Buffer
}

export interface Trouble {
  kind: 'trouble'
  reason: UnscannableReason
  detail: string
}

export type Opened = Member | Trouble

/** Reads an archive that begins at `at`; returns where it ends, or undefined when there turns out to be none. */
export type Reading = Generator<Opened, number | undefined>

export const member = (name: string, bytes: Buffer): Member => ({ kind: 'member', name, bytes })
export const trouble = (reason: UnscannableReason, detail: string): Trouble => ({ kind: 'trouble', reason, detail })
