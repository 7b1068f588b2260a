// Setting fragments that several services share, so that a setting has one name, one meaning and one default.
import { hostname } from 'node:os'
import Type from 'typebox'

/** A TCP port; 0 lets the system choose one. */
export const port = (standard: number, description: string) =>
  Type.Integer({ minimum: 0, maximum: 65_535, default: standard, description })

/** A positive whole number with a default. */
export const positive = (standard: number, description: string) =>
  Type.Integer({ minimum: 1, default: standard, description })

/** A value that never appears in logs and may come from a file (`<NAME>_FILE`). */
export const secret = (description: string) => Type.String({ minLength: 1, secret: true, description })

export const processSettings = {
  MAIL_HOSTNAME: Type.String({
    minLength: 1,
    default: hostname(),
    description: 'name of this mail system: greetings, Received, authserv-id',
  }),
  BIND_ADDRESS: Type.String({ default: '0.0.0.0', description: 'address that listeners bind' }),
  HEALTH_PORT: port(9090, '/livez, /readyz and /metrics'),
  LOG_LEVEL: Type.String({ default: 'info', description: 'pino level: trace, debug, info, warn, error, fatal' }),
  DRAIN_TIMEOUT_MS: positive(20_000, 'how long SIGTERM waits for sessions and jobs in hand'),
}

export const databaseSettings = {
  DATABASE_URL: secret('postgres://user:password@host:port/database'),
  DATABASE_POOL_SIZE: positive(5, 'connections of one process to Postgres'),
}

export const brokerSettings = {
  AMQP_URL: secret('amqp://user:password@host:port/vhost'),
  PUBLISH_TIMEOUT_MS: positive(10_000, 'how long a publish confirm may take'),
}

export const stageSettings = {
  PREFETCH: positive(64, 'jobs of a queue that one process holds at the same time'),
  ATTEMPT_LIMIT: positive(8, 'attempts at a job that keeps failing before it goes to the dead queue'),
}

export const tlsSettings = {
  TLS_CERT_FILE: Type.String({
    minLength: 1,
    description:
      'path of the PEM certificate chain; several, separated by commas, for other names (SNI) or kinds of keys. Changes count within 10 s',
  }),
  TLS_KEY_FILE: Type.String({
    minLength: 1,
    description: 'path of the PEM private key; of several, in the same order',
  }),
  TLS_LEGACY: Type.Union([Type.Literal('deny'), Type.Literal('allow')], {
    default: 'deny',
    description: 'allow takes TLS 1.0 and 1.1 and old ciphers as well, for old clients: deny or allow',
  }),
}

export const handshakeTimeout = positive(60_000, 'longest TLS handshake')

/** What a session of an SMTP edge may cost (RFC 5321 section 4.5.3). */
export const smtpSettings = {
  COMMAND_TIMEOUT_MS: positive(
    300_000,
    'longest wait for a whole command (RFC 5321 section 4.5.3.2.7: 5 minutes at least)',
  ),
  HANDSHAKE_TIMEOUT_MS: handshakeTimeout,
  DATA_MIN_BYTES_PER_SECOND: positive(500, 'slowest rate at which a mail may come, beyond COMMAND_TIMEOUT_MS'),
  SESSION_TIMEOUT_MS: positive(
    7_200_000,
    'longest session, which ends with 421 between two commands, and longest time that one mail may take',
  ),
  MAX_ERRORS: positive(20, '5xx replies of a session since its last accepted mail, then 421'),
  MAX_LINE_BYTES: positive(32_768, 'longest line of a mail; the standard allows 998 octets, many programs write more'),
  GREETING_DELAY_MS: Type.Integer({
    minimum: 0,
    default: 0,
    description: 'pause before the greeting; a client that talks meanwhile gets 421',
  }),
}

/** How much of an edge one address and one network may take, over all its replicas. */
export const admissionSettings = (sessions: number, connectionsPerMinute: number) => ({
  MAX_SESSIONS_PER_ADDRESS: positive(sessions, 'sessions of one address (IPv6: /64) at the same time, at all replicas'),
  MAX_SESSIONS_PER_NETWORK: positive(sessions * 4, 'sessions of one network (IPv4 /24, IPv6 /48) at the same time'),
  CONNECTIONS_PER_MINUTE_PER_ADDRESS: positive(connectionsPerMinute, 'new connections of one address a minute'),
  CONNECTIONS_PER_MINUTE_PER_NETWORK: positive(connectionsPerMinute * 4, 'new connections of one network a minute'),
})

/** How much an account may send, unless it has limits of its own (settings API). */
export const sendingLimitSettings = {
  MAILS_PER_HOUR: positive(1_000, 'mails that an account may send in an hour'),
  RECIPIENTS_PER_HOUR: positive(2_000, 'recipients that an account may send to in an hour'),
  RECIPIENTS_PER_DAY: positive(10_000, 'recipients that an account may send to in a day'),
  BYTES_PER_DAY: positive(5_368_709_120, 'octets that an account may send in a day'),
  MAX_MESSAGE_BYTES: positive(52_428_800, 'largest mail in octets (SIZE, RFC 1870)'),
}

/** What becomes of a line that ends in LF without CR. */
export const bareLf = (standard: 'refuse' | 'repair') =>
  Type.Union([Type.Literal('refuse'), Type.Literal('repair')], {
    default: standard,
    description: 'lines of a mail that end in LF without CR: refuse the mail, or give them the CR',
  })

export const tokenSettings = {
  OAUTH_ISSUER: Type.Refine(
    Type.String({
      default: '',
      description:
        'OpenID Connect issuer (https URL) whose access tokens log in by XOAUTH2 and OAUTHBEARER; empty: none',
    }),
    (text) => text === '' || /^https:\/\/.|^http:\/\/(127\.0\.0\.1|localhost)[:/]/.test(text),
    () => 'must be an https URL',
  ),
  OAUTH_AUDIENCE: Type.String({
    minLength: 1,
    default: 'sekimori',
    description: 'audience (aud) that the tokens must be made for',
  }),
  OAUTH_ADDRESS_CLAIM: Type.String({
    minLength: 1,
    default: 'email',
    description: "claim with the account's address; email counts only with email_verified",
  }),
}

export const contentSettings = {
  INLINE_CONTENT_MAX_BYTES: positive(65_536, 'mail up to this size travels inside the AMQP message'),
}
