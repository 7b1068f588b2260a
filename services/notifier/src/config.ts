// Settings of the notifier.
import { duration } from '@sekimori/config/duration'
import { brokerSettings, databaseSettings, positive, processSettings, stageSettings } from '@sekimori/config/settings'
import { dnsSettings } from '@sekimori/dns/settings'
import Type, { type Static } from 'typebox'

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...stageSettings,
  ...dnsSettings,
  LOCAL_VIRUS_WARNING: Type.Union([Type.Literal('both'), Type.Literal('sender')], {
    default: 'both',
    description: 'who is warned of an infected mail between two local accounts',
  }),
  WARNING_LIMIT_PER_HOUR: positive(60, 'virus warnings that one account gets in an hour; a summary tells of more'),
  WARNING_SUMMARY_AFTER_MS: positive(3_600_000, 'how long warnings over that limit are gathered before the summary'),
  INFECTED_LIMIT: positive(30, 'infected mails of one account within INFECTED_WINDOW_MINUTES that stop its sending'),
  INFECTED_WINDOW_MINUTES: positive(10, 'minutes within which infected mails of an account count together'),
  DKIM_NOTICE_AFTER: duration(
    '1h',
    'how long DNS lacks a DKIM key, or has one too many, before the postmaster is told',
  ),
  DKIM_NOTICE_REPEAT: duration('7d', 'after what time he is told again'),
  DKIM_NOTICE_POLL_INTERVAL: duration('1m', 'how often such keys are looked for'),
  REPORT_SHARE_PERCENT: Type.Number({
    minimum: 0,
    maximum: 100,
    default: 10,
    description: 'DMARC and TLS reports about a day, at most so many per cent of the mails that others took on it',
  }),
  REPORT_DELAY: duration('10m', 'how long after midnight (UTC) the reports about a day are planned'),
  REPORT_SPREAD: duration('4h', 'over what time they are spread; those about most mail come first'),
  REPORT_POLL_INTERVAL: duration('30s', 'how often reports are looked for that are due'),
  REPORT_RETENTION: duration('30d', 'how long it is remembered which reports were sent'),
})

export type Config = Static<typeof schema>
