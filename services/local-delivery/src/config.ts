// Settings of local delivery.
import { duration, parseDuration } from '@sekimori/config/duration'
import { brokerSettings, databaseSettings, processSettings, stageSettings } from '@sekimori/config/settings'
import { srsSettings } from '@sekimori/config/srs-settings'
import Type, { type Static } from 'typebox'

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...stageSettings,
  CONTENT_ORPHAN_AGE: duration(
    '1d',
    'content stored for mail that was not accepted in the end is freed after this long',
  ),
  CONTENT_SWEEP_INTERVAL: duration('1h', 'how often the content store is searched for what nobody needs'),
  ...srsSettings,
  TRACE_RETENTION: Type.Refine(
    duration('90d', 'how long the message trace is kept, in steps of a week; 14d at least'),
    // Mail may wait for days, and the trace is how it is known that a recipient has had it.
    (text) => (parseDuration(text) ?? 0) >= 14 * 86_400_000,
    () => 'must be a duration of 14d at least',
  ),
  CORRESPONDENT_RETENTION: duration('180d', 'how long the domains that an account had to do with are remembered'),
})

export type Config = Static<typeof schema>
