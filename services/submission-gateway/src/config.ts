// Settings of the submission gateway.
import {
  admissionSettings,
  bareLf,
  brokerSettings,
  contentSettings,
  databaseSettings,
  port,
  positive,
  processSettings,
  sendingLimitSettings,
  smtpSettings,
  tlsSettings,
  tokenSettings,
} from '@sekimori/config/settings'
import { proxySettings } from '@sekimori/smtp/proxy-networks'
import Type, { type Static } from 'typebox'

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...tlsSettings,
  ...contentSettings,
  ...smtpSettings,
  SUBMISSION_PORT: port(1587, 'submission with STARTTLS (RFC 6409)'),
  SMTPS_PORT: port(1465, 'submission over implicit TLS (RFC 8314)'),
  CLIENT_ADDRESS: Type.Union([Type.Literal('hide'), Type.Literal('show')], {
    default: 'hide',
    description: "whether Received shows the address and EHLO name of an account's client; the trace has them anyway",
  }),
  BARE_LF: bareLf('repair'),
  ...admissionSettings(500, 1_200),
  ...sendingLimitSettings,
  MAX_RECIPIENTS: positive(1_000, 'recipients of one mail'),
  MAX_SESSIONS: positive(
    2_000,
    'sessions of one listener at the same time; beyond, idle ones without a login give way to new ones',
  ),
  ...proxySettings,
  ...tokenSettings,
  PLAINTEXT_AUTH: Type.Union([Type.Literal('deny'), Type.Literal('allow')], {
    default: 'deny',
    description: 'AUTH before TLS, for legacy clients',
  }),
})

export type Config = Static<typeof schema>
