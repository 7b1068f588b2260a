// Settings of the scanner.
import { duration } from '@sekimori/config/duration'
import {
  brokerSettings,
  databaseSettings,
  positive,
  processSettings,
  secret,
  stageSettings,
} from '@sekimori/config/settings'
import Type, { type Static } from 'typebox'

const MASTER_KEY_BYTES = 32

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...stageSettings,
  CLAMD_ADDRESS: Type.String({
    minLength: 1,
    description: 'clamd: path of its socket or host:port; several with commas between, for fail-over',
  }),
  MAX_MESSAGE_BYTES: positive(52_428_800, 'largest mail; clamd must look at that much'),
  SCAN_CONCURRENCY: positive(8, 'scans at the same time; keep it below the MaxThreads of clamd'),
  SCAN_TIMEOUT_MS: positive(300_000, 'longest time for one scan'),
  QUARANTINE_MASTER_KEY: Type.Refine(
    secret('seals quarantined content, the same for all scanners (make one with: openssl rand -base64 32)'),
    (key) => Buffer.from(key, 'base64').length === MASTER_KEY_BYTES,
    () => 'must be 32 octets in base64',
  ),
  QUARANTINE_RETENTION: duration('30d', 'how long quarantined content is kept'),
  QUARANTINE_POLL_INTERVAL: duration('2s', 'how often releases, deletions and the end of retention are looked for'),
})

export type Config = Static<typeof schema>
