// The rescan on the real things; one of all scanners does it at a time.
import { randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { parseDuration } from '@sekimori/config/duration'
import { DependencyAway } from '@sekimori/runtime/dependency'
import type { Service } from '@sekimori/runtime/service'
import { readContent } from '@sekimori/store/content'
import type { Database } from '@sekimori/store/database'
import { type Lead, LeadLost, whileLeading } from '@sekimori/store/leadership'
import * as removal from '@sekimori/store/rescan-removal'
import { advanceRun, nextCopies, openRun } from '@sekimori/store/rescan-run'
import { readMasterKey } from '@sekimori/store/seal'
import type { ArchiveWalker } from '../archive/archive-walker.ts'
import type { Config } from '../config.ts'
import type { Engine } from '../engine.ts'
import { scannerName } from '../signature-report.ts'
import { summarize } from '../summary.ts'
import { thoroughEngine } from '../thorough.ts'
import { openPace } from './pace.ts'
import { type RescanPorts, rescan } from './rescan.ts'
import { removedCopies, rescannedMails, waitingCopies } from './rescan-metrics.ts'
import { Settling, signaturesInForce } from './signature-set.ts'

/** A scanner that is killed is replaced after this long. */
const LEAD_LIFE_MS = 5_000
const BATCH = 100
const FINDINGS_AT_A_TIME = 100

interface Resources {
  service: Service
  database: Database
  engine: Engine
  walker: ArchiveWalker
}

/** Starts to look after delivered mail. Disposing it, after `stopping`, waits for the mail in hand. */
export function startRescan(config: Config, resources: Resources): AsyncDisposable {
  if (config.RESCAN_DAYS === 0) return { [Symbol.asyncDispose]: async () => {} }
  const lead: Lead = { work: 'rescan', holder: `${scannerName} ${randomUUID()}`, lifeMs: LEAD_LIFE_MS }
  const running = keepRescanning(lead, openPorts(config, lead, resources), config, resources)
  return { [Symbol.asyncDispose]: () => running }
}

async function keepRescanning(lead: Lead, ports: RescanPorts, config: Config, resources: Resources): Promise<void> {
  const { service, database } = resources
  const { stopping, dependencies, log } = service
  const pollMs = parseDuration(config.RESCAN_POLL_INTERVAL)!
  while (!stopping.aborted) {
    await dependencies.whenUp(stopping)
    try {
      await ports.signatures() // also who does not lead knows since when they are in force
      await whileLeading(database, lead, stopping, async (signal) => {
        await rescan(ports, signal)
        await removal.forgetFindings(database)
      })
      waitingCopies.set(await removal.countWaiting(database))
    } catch (error) {
      const isUsual = error instanceof DependencyAway || error instanceof LeadLost
      log[isUsual ? 'info' : 'error']({ err: error }, 'the rescan of delivered mail was interrupted')
    }
    await wait(pollMs, undefined, { signal: stopping }).catch(() => {}) // stopping ends the pause
  }
}

function openPorts(config: Config, lead: Lead, { service, database, engine, walker }: Resources): RescanPorts {
  const masterKey = readMasterKey(config.QUARANTINE_MASTER_KEY, 'QUARANTINE_MASTER_KEY')
  const settleMs = parseDuration(config.RESCAN_SETTLE)!
  const settling = new Settling()
  return {
    async signatures() {
      const set = await signaturesInForce(engine.statuses(), config.SIGNATURE_DIRECTORY)
      return set && { set, isSettled: settling.age(set, Date.now()) >= settleMs }
    },
    openRun: (signatures, isSettled) => openRun(database, lead, signatures, isSettled, config.RESCAN_DAYS),
    nextCopies: (run) => nextCopies(database, run, BATCH),
    advance: (run, last, counts) => advanceRun(database, lead, run, last, counts),
    scan(contentId, version) {
      const ofVersion = {
        version: engine.version,
        scan: (open: Parameters<Engine['scan']>[0]) => engine.scan(open, version),
      }
      const thorough = thoroughEngine(ofVersion, walker, { depth: config.ARCHIVE_DEPTH })
      return thorough.scan(() => readContent(database, contentId))
    },
    untilFree: openPace(config.RESCAN_RATE, engine.isBusy),
    recordFinding: (finding) => removal.recordFinding(database, lead, finding),
    removable: () => removal.removableFindings(database, FINDINGS_AT_A_TIME),
    async remove(finding) {
      const removed = await removal.removeInfected(database, masterKey, finding, summarize)
      removedCopies.inc(removed)
      return removed
    },
    observe: (outcome) => rescannedMails.inc({ outcome }),
    log: service.log,
  }
}
