// Settings of the scanner.
import { brokerSettings, databaseSettings, positive, processSettings, stageSettings } from '@sekimori/config/settings'
import Type, { type Static } from 'typebox'

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
})

export type Config = Static<typeof schema>
