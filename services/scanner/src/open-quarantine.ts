// The scanner's side of the quarantine on the real things: database, master key, broker.
import { parseDuration } from '@sekimori/config/duration'
import type { Broker } from '@sekimori/queue/broker'
import { publishAlone } from '@sekimori/queue/publish-alone'
import type { Database } from '@sekimori/store/database'
import { haveAllEnded } from '@sekimori/store/ended-mail'
import { recallSetAside, setAside } from '@sekimori/store/quarantine'
import { expireRecords, finishEnding, leaseEnding } from '@sekimori/store/quarantine-end'
import { claimRelease, markPublished, prepareRelease } from '@sekimori/store/quarantine-release'
import { readMasterKey } from '@sekimori/store/seal'
import type { Config } from './config.ts'
import type { Ports } from './handler.ts'
import { type KeeperPorts, startQuarantineKeeper } from './quarantine-keeper.ts'
import { summarize } from './summary.ts'

const BATCH = 100
/** On top of the time that a publish confirm may take. */
const LEASE_MARGIN_MS = 5_000

export interface Quarantine {
  handler: Pick<Ports, 'setAside' | 'recall' | 'haveAllEnded' | 'claimRelease'>
  /** Starts to carry out what is due in quarantine. */
  startKeeper(): AsyncDisposable
}

export function openQuarantine(config: Config, database: Database, broker: Broker): Quarantine {
  const masterKey = readMasterKey(config.QUARANTINE_MASTER_KEY, 'QUARANTINE_MASTER_KEY')
  const leaseMs = config.PUBLISH_TIMEOUT_MS + LEASE_MARGIN_MS
  const retentionMs = parseDuration(config.QUARANTINE_RETENTION)!
  const { dependencies, log, stopping } = broker.service
  const keeper: KeeperPorts = {
    expire: () => expireRecords(database, retentionMs, BATCH),
    nextRelease: () => prepareRelease(database, masterKey, leaseMs),
    markPublished: (job) => markPublished(database, job),
    nextEnding: () => leaseEnding(database, masterKey, leaseMs),
    finishEnding: (ending) => finishEnding(database, ending),
    publish: (publication) => publishAlone(broker, publication),
    whenUp: (signal) => dependencies.whenUp(signal),
    log,
  }
  return {
    handler: {
      setAside: (job, parts, engine, head, isEnd) =>
        setAside(database, masterKey, job, parts, { engine, head, summary: summarize(head) }, isEnd),
      recall: (job) => recallSetAside(database, masterKey, job),
      haveAllEnded: (job) => haveAllEnded(database, job),
      claimRelease: (job) => claimRelease(database, job),
    },
    startKeeper: () => startQuarantineKeeper(keeper, parseDuration(config.QUARANTINE_POLL_INTERVAL)!, stopping),
  }
}
