// What the main thread and a walking thread say to one another.
import type { Usage } from './budget.ts'
import type { ArchiveLimits, Finding } from './finding.ts'
import type { WasmModule } from './web-assembly.ts'

export interface ThreadSetup {
  sevenZip: WasmModule
  /** One number; the thread stops walking when it is not 0. */
  cancelled: SharedArrayBuffer
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
}

export type ThreadMessage =
  /** @param cpuMs processor time of the thread since it was started. */
  | { kind: 'ready'; cpuMs: number }
  | { kind: 'findings'; findings: Finding[] }
  | { kind: 'ended'; usage: Usage; isOutOfTime: boolean; cpuMs: number }
