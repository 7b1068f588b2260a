// What the main thread and a walking thread say to one another.
import type { Usage } from './budget.ts'
import type { ArchiveLimits, Begun, Finding } from './finding.ts'
import type { WasmModule } from './web-assembly.ts'

export interface ThreadSetup {
  sevenZip: WasmModule
  /** One number; the thread stops walking when it is not 0. */
  cancelled: SharedArrayBuffer
}

/** Parts of a mail that were looked into before, in a thread that was ended. */
export interface KnownParts {
  /** How many from the first one on. */
  upTo: number
  bombs: number[]
  /** There is no time left: the others are not unpacked. */
  isLast: boolean
}

export interface WalkRequest {
  /** A mail is taken apart first. */
  kind: 'mail' | 'file'
  bytes: Uint8Array
  limits: ArchiveLimits
  /** Findings that are known from an earlier try. */
  skip: number
  /** When it takes too long it is tried again: what would come out after that is not told. */
  isTrial: boolean
  known: KnownParts
}

export type ThreadMessage =
  /** @param cpuMs processor time of the thread since it was started. */
  | { kind: 'ready'; cpuMs: number }
  | { kind: 'findings'; findings: (Finding | Begun)[] }
  | { kind: 'ended'; usage: Usage; isOutOfTime: boolean; cpuMs: number }
