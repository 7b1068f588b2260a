// Settings of the notifier.
import { brokerSettings, databaseSettings, positive, processSettings, stageSettings } from '@sekimori/config/settings'
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
  WARNING_LIMIT_PER_HOUR: positive(60, 'virus warnings that one account gets in an hour; a summary tells of more'),
  WARNING_SUMMARY_AFTER_MS: positive(3_600_000, 'how long warnings over that limit are gathered before the summary'),
  INFECTED_LIMIT: positive(30, 'infected mails of one account within INFECTED_WINDOW_MINUTES that stop its sending'),
  INFECTED_WINDOW_MINUTES: positive(10, 'minutes within which infected mails of an account count together'),
})

export type Config = Static<typeof schema>
