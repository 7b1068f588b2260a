// Settings of the MX gateway.
import {
  admissionSettings,
  bareLf,
  brokerSettings,
  contentSettings,
  databaseSettings,
  port,
  positive,
  processSettings,
  smtpSettings,
  tlsSettings,
} from '@sekimori/config/settings'
import { srsSettings } from '@sekimori/config/srs-settings'
import { dnsSettings } from '@sekimori/dns/settings'
import { proxySettings } from '@sekimori/smtp/proxy-networks'
import Type, { type Static } from 'typebox'

const check = (what: string) =>
  Type.Union([Type.Literal('off'), Type.Literal('record'), Type.Literal('refuse')], {
    default: 'off',
    description: `${what}: off, recorded in the header X-Client-Checks, or refused`,
  })

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...brokerSettings,
  ...tlsSettings,
  ...contentSettings,
  ...smtpSettings,
  ...srsSettings,
  ...admissionSettings(100, 600),
  MX_PORT: port(1025, 'mail from other servers'),
  BARE_LF: bareLf('refuse'),
  MAX_MESSAGE_BYTES: positive(52_428_800, 'largest mail in octets (SIZE, RFC 1870)'),
  MAX_RECIPIENTS: positive(1_000, 'recipients of one mail'),
  MAX_SESSIONS: positive(2_000, 'sessions at the same time; beyond, idle ones give way to new ones'),
  HELO_CHECK: check('the EHLO name: full, ours to nobody else, with an address'),
  DNSBL_CHECK: check('whether DNSBL_ZONES list the client (RFC 5782)'),
  DNSBL_ZONES: Type.String({ default: '', description: 'zones of DNS lists, separated by commas' }),
  GREYLISTING_SECONDS: Type.Integer({
    minimum: 0,
    default: 0,
    description: 'a network that is new to sender and recipient waits so long (RFC 6647); 0: none does',
  }),
  ...proxySettings,
  ...dnsSettings,
})

export type Config = Static<typeof schema>
