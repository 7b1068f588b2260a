// Settings of the POP3 gateway.
import {
  admissionSettings,
  databaseSettings,
  handshakeTimeout,
  port,
  positive,
  processSettings,
  tlsSettings,
  tokenSettings,
} from '@sekimori/config/settings'
import { proxySettings } from '@sekimori/smtp/proxy-networks'
import Type from 'typebox'

const TEN_MINUTES_MS = 600_000

export const schema = Type.Object({
  ...processSettings,
  ...databaseSettings,
  ...tlsSettings,
  ...tokenSettings,
  ...proxySettings,
  ...admissionSettings(500, 1_200),
  POP3_PORT: port(1110, 'POP3 with STLS'),
  POP3S_PORT: port(1995, 'POP3 with implicit TLS'),
  PLAINTEXT_AUTH: Type.Union([Type.Literal('deny'), Type.Literal('allow')], {
    default: 'deny',
    description: 'allow lets old clients log in without TLS: deny or allow',
  }),
  POP3_IDLE_TIMEOUT_MS: Type.Integer({
    minimum: TEN_MINUTES_MS,
    default: TEN_MINUTES_MS,
    description: 'how long a client may be silent; RFC 1939 allows no less than 10 minutes',
  }),
  POP3_LOGIN_TIMEOUT_MS: positive(180_000, 'how long a client may take from its connection until it has logged in'),
  HANDSHAKE_TIMEOUT_MS: handshakeTimeout,
  POP3_MAX_SESSIONS: positive(
    5_000,
    'sessions that one process serves at the same time; beyond that the oldest that has not logged in makes room',
  ),
  POP3_LANGUAGE: Type.Union([Type.Literal('ja'), Type.Literal('en')], {
    default: 'ja',
    description: 'language of replies that LANG * chooses: ja or en',
  }),
})
