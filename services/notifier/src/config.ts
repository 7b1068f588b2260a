// Settings of the notifier.
import { brokerSettings, databaseSettings, processSettings, stageSettings } from '@sekimori/config/settings'
import Type, { type Static } from 'typebox'

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...stageSettings,
  LOCAL_VIRUS_WARNING: Type.Union([Type.Literal('both'), Type.Literal('sender')], {
    default: 'both',
    description: 'who is warned of an infected mail between two local accounts',
  }),
})

export type Config = Static<typeof schema>
