// Walks samples in tests, in this thread.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { Budget } from './budget.ts'
import { type ArchiveLimits, defaultLimits, type Finding, type Leaf } from './finding.ts'
import { MARKER } from './sample-tools.ts'
import { sevenZip } from './seven-zip.ts'
import { walk } from './walk.ts'
import { compile } from './web-assembly.ts'

const unpacker = sevenZip(await compile(await readFile(fileURLToPath(import.meta.resolve('7z-wasm/7zz.wasm')))))
/** A test machine may be slow. */
const patience = { cpuMs: 60_000, timeMs: 120_000 }

export function findingsIn(bytes: Buffer, limits: Partial<ArchiveLimits> = {}): Finding[] {
  return [...walk(bytes, unpacker, new Budget({ ...defaultLimits, ...patience, ...limits }))]
}

/** The leaves that are the marker and nothing else. */
export function markersIn(findings: Finding[]): Leaf[] {
  return findings.filter((finding) => finding.kind === 'leaf').filter(({ bytes }) => bytes.equals(MARKER))
}

/** The reasons why something could not be looked into, each once. */
export function reasonsIn(findings: Finding[]): string[] {
  const reasons = findings.flatMap((finding) => (finding.kind === 'unscannable' ? [finding.reason] : []))
  return [...new Set(reasons)].sort()
}
