// The settings of local mode. Every other setting of a service goes through to it from the environment as it is.
import { resolve } from 'node:path'
import { readConfig } from '@sekimori/config/config'
import { port, positive } from '@sekimori/config/settings'
import Type, { type Static } from 'typebox'

const standardPorts = { SUBMISSION_PORT: 587, SMTPS_PORT: 465, MX_PORT: 25, POP3_PORT: 110, POP3S_PORT: 995 }

/** The ports that the outside world connects to, with the defaults of local mode. */
export const listeners = {
  SUBMISSION_PORT: port(1587, 'submission: STARTTLS and AUTH'),
  SMTPS_PORT: port(1465, 'submission with implicit TLS'),
  MX_PORT: port(1025, 'mail from other servers'),
  POP3_PORT: port(1110, 'POP3 with STLS'),
  POP3S_PORT: port(1995, 'POP3 with implicit TLS'),
  SETTINGS_API_PORT: port(8080, 'settings API'),
  PORTAL_PORT: port(8081, 'control panel'),
}

const schema = Type.Object({
  ...listeners,
  BIND_ADDRESS: Type.String({ minLength: 1, default: '127.0.0.1', description: 'address that listeners bind' }),
  STATE_DIR: Type.String({ minLength: 1, default: '.local', description: 'everything that local mode keeps' }),
  // Below the demo domain, and of a top-level domain that is nobody's (RFC 2606): what leaves a trial installation
  // never bears a name that belongs to someone. Clients connect to "localhost", which the certificate covers as well.
  MAIL_HOSTNAME: Type.String({ minLength: 1, default: 'mail.example.test', description: 'name of this mail system' }),
  MAX_MESSAGE_BYTES: positive(50 * 1024 * 1024, 'largest mail'),
  SIGNATURE_UPDATES: Type.Union([Type.Literal('on'), Type.Literal('off')], {
    default: 'on',
    description: 'on: freshclam fetches the official virus signatures; off: only what lies in $STATE_DIR/clamav',
  }),
  DRAIN_TIMEOUT_MS: positive(20_000, 'how long a service may take to stop'),
})

export type Settings = Static<typeof schema> & {
  /** The workspace's top directory. */
  workspace: string
}

/**
 * Reads the settings. A relative STATE_DIR is taken from the workspace's top.
 * @throws ConfigError
 */
export function readSettings(environment: NodeJS.ProcessEnv, isStandardPorts: boolean): Settings {
  const defaults = isStandardPorts ? textValues(standardPorts) : {}
  const given = Object.entries(environment).filter(([, value]) => value !== undefined && value !== '')
  const settings = readConfig(schema, { ...defaults, ...Object.fromEntries(given) })
  const workspace = resolve(import.meta.dirname, '..', '..', '..')
  return { ...settings, STATE_DIR: resolve(workspace, settings.STATE_DIR), workspace }
}

/** The address by which this machine reaches what listens on BIND_ADDRESS. */
export function connectAddress(bindAddress: string): string {
  if (bindAddress === '0.0.0.0') return '127.0.0.1'
  return bindAddress === '::' ? '::1' : bindAddress
}

/** Host and port for a URL; IPv6 addresses in brackets (RFC 3986, 3.2.2). */
export function authority(host: string, portNumber: number): string {
  return host.includes(':') ? `[${host}]:${portNumber}` : `${host}:${portNumber}`
}

function textValues(values: Record<string, number>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, String(value)]))
}
