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
  TLS_CERT_FILE: Type.String({ minLength: 1, description: 'path of the PEM certificate chain' }),
  TLS_KEY_FILE: Type.String({ minLength: 1, description: 'path of the PEM private key' }),
}

export const contentSettings = {
  INLINE_CONTENT_MAX_BYTES: positive(65_536, 'mail up to this size travels inside the AMQP message'),
}
