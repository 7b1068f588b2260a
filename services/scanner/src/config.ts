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
import { clamdAddress } from './clamd.ts'
import { readMaxAge } from './signature-version.ts'

const MASTER_KEY_BYTES = 32

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...stageSettings,
  CLAMD_ADDRESS: Type.Refine(
    Type.String({
      minLength: 1,
      description: 'clamd: path of its socket or host:port; several with commas between, for fail-over',
    }),
    (text) => text.split(',').every(isAddress),
    () => 'must be the path of a socket or host:port, or several with commas between',
  ),
  MAX_MESSAGE_BYTES: positive(52_428_800, 'largest mail; clamd must look at that much'),
  SCAN_CONCURRENCY: positive(8, 'scans at the same time; keep it below the MaxThreads of clamd'),
  ARCHIVE_DEPTH: Type.Integer({
    minimum: 7,
    default: 16,
    description: 'archives within one another that are opened (S1-23: at least 7)',
  }),
  SCAN_TIMEOUT_MS: positive(300_000, 'longest time for one scan'),
  QUARANTINE_MASTER_KEY: Type.Refine(
    secret('seals quarantined content, the same for all scanners (make one with: openssl rand -base64 32)'),
    (key) => Buffer.from(key, 'base64').length === MASTER_KEY_BYTES,
    () => 'must be 32 octets in base64',
  ),
  QUARANTINE_RETENTION: duration('30d', 'how long quarantined content is kept'),
  QUARANTINE_POLL_INTERVAL: duration('2s', 'how often releases, deletions and the end of retention are looked for'),
  RESCAN_DAYS: Type.Integer({
    minimum: 0,
    default: 7,
    description: 'mail delivered in so many last days is scanned again when new signatures arrive; 0: never',
  }),
  RESCAN_RATE: positive(10, 'delivered mails that are scanned again in a second, by all scanners together'),
  RESCAN_SETTLE: duration('2m', 'how long new signatures must be in force before delivered mail is scanned again'),
  RESCAN_POLL_INTERVAL: duration('5s', 'how often new signatures, and maildrops that a session had, are looked for'),
  SIGNATURE_DIRECTORY: Type.String({
    default: '',
    description:
      "clamd's signature files, if this process can read them: own files without a version count as new, too",
  }),
  SIGNATURE_MAX_AGE: Type.Refine(
    Type.String({
      default: '7d',
      description: 'a clamd whose official signatures are older, or of unknown age, is not used; "off": any will do',
    }),
    (text) => readMaxAge(text) !== undefined,
    () => 'must be a duration such as 36h or 7d, or "off"',
  ),
})

function isAddress(text: string): boolean {
  try {
    clamdAddress(text.trim())
    return true
  } catch {
    return false // the fault is reported with those of the other settings
  }
}

export type Config = Static<typeof schema>
