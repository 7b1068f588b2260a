// Our own services, in the order that a mail meets them, and the settings that each gets.
import { join } from 'node:path'
import type { TlsFiles } from './certificates.ts'
import { authority, connectAddress, listeners, type Settings } from './config.ts'
import { findFreePort } from './free-port.ts'
import type { Program } from './program.ts'
import type { Secrets } from './secrets.ts'
import type { Servers } from './servers.ts'
import type { StatePaths } from './state-directory.ts'

export const serviceNames = [
  'submission-gateway',
  'mx-gateway',
  'scanner',
  'auth-verifier',
  'dkim-signer',
  'local-delivery',
  'remote-delivery',
  'notifier',
  'pop3-gateway',
  'settings-api',
] as const

type ServiceName = (typeof serviceNames)[number]

export interface ServiceContext {
  settings: Settings
  paths: StatePaths
  secrets: Secrets
  servers: Servers
  tls: TlsFiles
  environment: NodeJS.ProcessEnv
}

export interface Service {
  program: Program
  /** Where /livez, /readyz and /metrics are. */
  health: string
}

const READY_TIMEOUT_MS = 90_000
const KILL_GRACE_MS = 2_000

/** The services as programs to run. */
export async function servicePrograms(context: ServiceContext): Promise<Service[]> {
  const host = connectAddress(context.settings.BIND_ADDRESS)
  const taken = new Set<number>()
  const services: Service[] = []
  for (const name of serviceNames) {
    const healthPort = await findFreePort(taken, context.settings.BIND_ADDRESS)
    taken.add(healthPort)
    const health = `http://${authority(host, healthPort)}`
    services.push({ health, program: serviceProgram(name, healthPort, health, context) })
  }
  return services
}

function serviceProgram(name: ServiceName, healthPort: number, health: string, context: ServiceContext): Program {
  const { settings, paths } = context
  return {
    name,
    command: process.execPath,
    args: [join(settings.workspace, 'services', name, 'src', 'main.ts')],
    env: { ...serviceEnvironment(name, context), HEALTH_PORT: String(healthPort) },
    cwd: settings.workspace,
    logPath: join(paths.logs, `${name}.log`),
    stopSignal: 'SIGTERM',
    stopTimeoutMs: settings.DRAIN_TIMEOUT_MS + KILL_GRACE_MS,
    startTimeoutMs: READY_TIMEOUT_MS,
    isReady: () => isReady(health),
  }
}

/** The launcher's own environment, so that every setting of a service can be given, with ours on top. */
export function serviceEnvironment(name: ServiceName, context: ServiceContext): NodeJS.ProcessEnv {
  const ours = { ...sharedSettings(context), ...ownSecrets(name, context.secrets) }
  // Of a secret that we set, the file's name must not be set too; PG* would change how Postgres is spoken to.
  const isForeign = (key: string) =>
    key.startsWith('PG') || key.startsWith('npm_') || key.startsWith('SEKIMORI_') || secretSettings.includes(key)
  const given = Object.entries(context.environment).filter(
    ([key, value]) => value !== '' && !isForeign(key) && !isForeign(key.replace(/_FILE$/, '')),
  )
  return { ...localDefaults, ...Object.fromEntries(given), ...ours }
}

/** Other defaults than those of the services. Without the official signatures, which need a network, mail must go all the same. */
const localDefaults = { SIGNATURE_MAX_AGE: 'off' }

const secretSettings = [
  'DATABASE_URL',
  'AMQP_URL',
  'ADMIN_API_KEY',
  'DKIM_MASTER_KEY',
  'QUARANTINE_MASTER_KEY',
  'SRS_SECRET',
]

function sharedSettings({ settings, servers, tls, paths }: ServiceContext): Record<string, string> {
  const ports = (Object.keys(listeners) as (keyof typeof listeners)[]).map((name) => [name, String(settings[name])])
  return {
    ...Object.fromEntries(ports),
    MAIL_HOSTNAME: settings.MAIL_HOSTNAME,
    BIND_ADDRESS: settings.BIND_ADDRESS,
    MAX_MESSAGE_BYTES: String(settings.MAX_MESSAGE_BYTES),
    DRAIN_TIMEOUT_MS: String(settings.DRAIN_TIMEOUT_MS),
    DATABASE_URL: servers.databaseUrl,
    AMQP_URL: servers.amqpUrl,
    CLAMD_ADDRESS: servers.clamdAddress,
    SIGNATURE_DIRECTORY: paths.signatures,
    TLS_CERT_FILE: tls.certificate,
    TLS_KEY_FILE: tls.key,
  }
}

/** Each service gets only the keys that it works with. */
function ownSecrets(name: ServiceName, secrets: Secrets): Record<string, string> {
  switch (name) {
    case 'dkim-signer':
      return { DKIM_MASTER_KEY: secrets.dkimMasterKey }
    case 'settings-api':
      return { DKIM_MASTER_KEY: secrets.dkimMasterKey, ADMIN_API_KEY: secrets.adminApiKey }
    case 'scanner':
      return { QUARANTINE_MASTER_KEY: secrets.quarantineMasterKey }
    case 'mx-gateway':
    case 'local-delivery':
      return { SRS_SECRET: secrets.srsSecret }
    case 'submission-gateway':
    case 'auth-verifier':
    case 'remote-delivery':
    case 'notifier':
    case 'pop3-gateway':
      return {}
  }
}

async function isReady(health: string): Promise<boolean> {
  try {
    const response = await fetch(`${health}/readyz`, { signal: AbortSignal.timeout(2_000) })
    await response.arrayBuffer()
    return response.status === 200
  } catch {
    // Not listening yet.
    return false
  }
}
