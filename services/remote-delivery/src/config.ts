// Settings of remote-delivery. Durations are written with their unit: 30s, 5m, 4h, 5d.
import { duration } from '@sekimori/config/duration'
import {
  brokerSettings,
  databaseSettings,
  port,
  positive,
  processSettings,
  secret,
  stageSettings,
} from '@sekimori/config/settings'
import { dnsSettings } from '@sekimori/dns/settings'
import Type, { type Static } from 'typebox'
import { parseDurations } from './schedule.ts'
import { parseSmarthost } from './smarthost.ts'

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...stageSettings,
  ...dnsSettings,
  RELAY_PORT: port(25, 'port of the servers that mail is delivered to'),
  SMARTHOST: Type.Optional(
    Type.Refine(
      secret('server that takes all outbound mail: [smtps://][user:password@]host[:port]'),
      (text) => parseSmarthost(text) !== undefined,
      () => 'must be [smtp://|smtps://][user:password@]host[:port]',
    ),
  ),
  RELAY_PRIVATE_ADDRESSES: Type.Union([Type.Literal('allow'), Type.Literal('refuse')], {
    default: 'allow',
    description: 'whether mail is delivered to servers at loopback and private addresses',
  }),
  RELAY_CA_FILE: Type.Optional(
    Type.String({ minLength: 1, description: 'PEM of authorities trusted for remote servers beside the known ones' }),
  ),
  MTA_STS: Type.Union([Type.Literal('on'), Type.Literal('off')], {
    default: 'on',
    description: 'whether the MTA-STS policies of other domains are looked for',
  }),
  MTA_STS_PORT: port(443, 'port of the hosts of MTA-STS policies'),
  RETRY_SCHEDULE: Type.Refine(
    Type.String({ default: '1m,5m,15m,30m,1h,2h,4h', description: 'waits between attempts; the last one repeats' }),
    (text) => parseDurations(text) !== undefined,
    () => 'must be durations separated by commas, such as 1m,5m,4h',
  ),
  RETRY_LIFETIME: duration('5d', 'how long delivery is tried before the mail is returned'),
  DELAY_NOTICE_AFTER: duration('4h', 'age at which the sender is told that a mail is delayed'),
  RETRY_POLL_INTERVAL: duration('5s', 'how often the schedule is looked at'),
  DELIVERY_CONCURRENCY: positive(64, 'SMTP dialogues of one process at the same time'),
  DESTINATION_CONCURRENCY: positive(
    5,
    'of them with the same destination, when it takes the mail; fewer when it says 421 or 451',
  ),
  DESTINATION_RATE: positive(100, 'dialogues in a second with the same destination; fewer when it says 421 or 451'),
  SESSION_IDLE: duration('5s', 'how long a session is kept for the next mail to the same destination'),
  SESSION_MAILS: positive(100, 'mails that one session takes'),
  CONNECT_TIMEOUT: duration('30s', 'longest time to reach one address'),
  GREETING_TIMEOUT: duration('5m', 'longest wait for the greeting and for the TLS handshake'),
  COMMAND_TIMEOUT: duration('5m', 'longest wait for the reply to a command'),
  DATA_TIMEOUT: duration('3m', 'longest time without progress while the mail is sent'),
  DATA_END_TIMEOUT: duration('10m', 'longest wait for the reply to the whole mail'),
  // With the wait for the last reply it stays below the 30 minutes after which RabbitMQ takes a job away.
  ATTEMPT_TIMEOUT: duration('15m', 'longest time for one attempt at a destination, the last reply left out'),
})

export type Config = Static<typeof schema>
