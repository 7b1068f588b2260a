// Settings of local delivery.

import { duration } from '@sekimori/config/duration'
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
})

export type Config = Static<typeof schema>
