// Delivered mail is scanned again when new signatures are in force: slowly, after fresh mail, and from where it stopped.
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Log } from '@sekimori/runtime/log'
import { ContentGone } from '@sekimori/store/content'
import type { Finding } from '@sekimori/store/rescan-removal'
import type { DeliveredCopy, RescanCounts, RescanRun } from '@sekimori/store/rescan-run'
import type { Scan } from '../verdict.ts'
import type { SignatureSet } from './signature-set.ts'

export interface RescanPorts {
  /** What is in force, and whether it has been so for long enough; undefined while no clamd is fit. */
  signatures(): Promise<{ set: SignatureSet; isSettled: boolean } | undefined>
  openRun(signatures: string, isSettled: boolean): Promise<RescanRun | undefined>
  nextCopies(run: RescanRun): Promise<DeliveredCopy[]>
  advance(run: RescanRun, last: DeliveredCopy | undefined, counts: RescanCounts): Promise<void>
  /** @throws DependencyAway when no clamd with this version is fit; ContentGone */
  scan(contentId: string, version: string): Promise<Scan>
  /** Resolves when it is this rescan's turn: fresh mail leaves room, and the rate allows it. */
  untilFree(signal: AbortSignal): Promise<void>
  recordFinding(finding: Finding): Promise<void>
  removable(): Promise<Finding[]>
  /** Takes copies out of maildrops; resolves to how many, 0 when the rest has to wait. */
  remove(finding: Finding): Promise<number>
  observe(outcome: 'clean' | 'infected' | 'unscannable' | 'failed' | 'gone'): void
  log: Log
}

/** Looks at all that is due, until there is no more or the signal aborts. @throws DependencyAway, LeadLost */
export async function rescan(ports: RescanPorts, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await removeFound(ports, signal)
    const signatures = await ports.signatures()
    if (signatures === undefined) return
    const run = await ports.openRun(signatures.set.text, signatures.isSettled)
    if (run === undefined) return
    await lookAtSome(run, signatures.set.version, ports, signal)
  }
}

/** Takes what was found out of the maildrops that no session has. */
async function removeFound(ports: RescanPorts, signal: AbortSignal): Promise<void> {
  for (const finding of await ports.removable()) {
    if (signal.aborted) return
    await removeCopies(finding, ports)
  }
}

async function removeCopies(finding: Finding, ports: RescanPorts): Promise<void> {
  const { contentId, signature } = finding
  for (let removed = await ports.remove(finding); removed > 0; removed = await ports.remove(finding))
    ports.log.warn({ contentId, signature, removed }, 'delivered mail is infected')
}

/** One batch of copies; how far it came is written when it ends, for whatever reason. */
async function lookAtSome(run: RescanRun, version: string, ports: RescanPorts, signal: AbortSignal): Promise<void> {
  const copies = (await ports.nextCopies(run)).filter(({ isOld }) => !isOld)
  if (copies.length === 0) return ports.advance(run, undefined, { scanned: 0, infected: 0, failed: 0 })
  const counts: RescanCounts = { scanned: 0, infected: 0, failed: 0 }
  let last: DeliveredCopy | undefined
  try {
    for (const copy of copies) {
      if (copy.isFirst) {
        await ports.untilFree(signal)
        if (signal.aborted) break
        await lookAt(copy, version, counts, ports)
      }
      last = copy
    }
  } finally {
    if (last !== undefined) await ports.advance(run, last, counts)
  }
}

async function lookAt(copy: DeliveredCopy, version: string, counts: RescanCounts, ports: RescanPorts): Promise<void> {
  const { contentId } = copy
  try {
    const { verdict, engine } = await ports.scan(contentId, version)
    ports.observe(verdict.kind)
    counts.scanned++
    if (verdict.kind !== 'infected') return
    counts.infected++
    const finding = { contentId, signature: verdict.signature, engine }
    await ports.recordFinding(finding)
    await removeCopies(finding, ports)
  } catch (error) {
    if (error instanceof DependencyAway) throw error
    const isGone = error instanceof ContentGone
    ports.observe(isGone ? 'gone' : 'failed')
    if (isGone) return
    counts.failed++
    ports.log.error({ err: error, contentId }, 'delivered mail could not be scanned again')
  }
}
