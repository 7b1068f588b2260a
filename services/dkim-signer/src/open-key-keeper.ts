// The key keeper with the database, the DNS servers and the clock that it works with.
import { parseDuration } from '@sekimori/config/duration'
import { parseDnsServers } from '@sekimori/dns/settings'
import type { Service } from '@sekimori/runtime/service'
import type { Database } from '@sekimori/store/database'
import { resealDkimKeys } from '@sekimori/store/dkim-key-creation'
import { advanceKeys } from '@sekimori/store/dkim-key-life'
import { claimLooks, recordLook } from '@sekimori/store/dkim-key-look'
import type { KeyPolicy } from '@sekimori/store/dkim-key-rule'
import type { Config } from './config.ts'
import { type KeeperPorts, startKeyKeeper } from './key-keeper.ts'
import { lookForKey } from './key-look.ts'

type KeyRing = readonly [Buffer, ...Buffer[]]

/** Seals the keys anew where the first master key has changed, then starts to look after them. */
export async function openKeyKeeper(
  config: Config,
  database: Database,
  service: Service,
  masterKeys: KeyRing,
): Promise<AsyncDisposable> {
  const { sealed, lost } = await resealDkimKeys(database, masterKeys)
  if (sealed > 0) service.log.info({ keys: sealed }, 'DKIM keys sealed anew with the first master key')
  if (lost.length > 0) service.log.error({ keys: lost }, 'no key of DKIM_MASTER_KEY opens these DKIM keys')
  return startKeyKeeper(
    keeperPorts(config, database, service, masterKeys[0]),
    parseDuration(config.DKIM_POLL_INTERVAL)!,
  )
}

function keeperPorts(config: Config, database: Database, service: Service, masterKey: Buffer): KeeperPorts {
  const servers = parseDnsServers(config.DNS_SERVERS)
  const policy: KeyPolicy = {
    rotateAfterMs: parseDuration(config.DKIM_ROTATION_INTERVAL),
    settleMs: parseDuration(config.DKIM_SETTLE_TIME)!,
    retireAfterMs: parseDuration(config.DKIM_RETIRE_AFTER)!,
  }
  return {
    claim: (now, limit) => claimLooks(database, now, limit),
    look: (key) => lookForKey(servers, key),
    record: (id, look, now) => recordLook(database, id, look, now),
    advance: (domain, now) => advanceKeys(database, domain, masterKey, policy, now),
    now: () => new Date(),
    whenUp: (signal) => service.dependencies.whenUp(signal),
    log: service.log,
  }
}
