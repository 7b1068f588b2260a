// endpoints.json: where everything is, for tests, benchmarks and scripts. It is there while everything is ready.
import { rm } from 'node:fs/promises'
import { writeFileAtomically } from './atomic-file.ts'
import { authority, connectAddress, type Settings } from './config.ts'
import { demoAccounts } from './demo-data.ts'
import type { Secrets } from './secrets.ts'
import type { Servers } from './servers.ts'
import type { Service } from './services.ts'

export interface Endpoint {
  host: string
  port: number
}

export interface Endpoints {
  submission: Endpoint
  smtps: Endpoint
  mx: Endpoint
  pop3: Endpoint
  pop3s: Endpoint
  settingsApi: string
  caCertificate: string
  adminApiKey: string
  accounts: { address: string; password: string }[]
  health: Record<string, string>
  databaseUrl: string
  amqpUrl: string
  clamdAddress: string
  processes: Record<string, number[]>
}

/** Everything but the processes, which change. */
export function describeEndpoints(
  settings: Settings,
  secrets: Secrets,
  servers: Servers,
  services: Service[],
  caCertificate: string,
): Omit<Endpoints, 'processes'> {
  const host = connectAddress(settings.BIND_ADDRESS)
  return {
    submission: { host, port: settings.SUBMISSION_PORT },
    smtps: { host, port: settings.SMTPS_PORT },
    mx: { host, port: settings.MX_PORT },
    pop3: { host, port: settings.POP3_PORT },
    pop3s: { host, port: settings.POP3S_PORT },
    settingsApi: settingsApiUrl(settings),
    caCertificate,
    adminApiKey: secrets.adminApiKey,
    accounts: demoAccounts(secrets),
    health: Object.fromEntries(services.map(({ program, health }) => [program.name, health])),
    databaseUrl: servers.databaseUrl,
    amqpUrl: servers.amqpUrl,
    clamdAddress: servers.clamdAddress,
  }
}

export function settingsApiUrl(settings: Settings): string {
  return `http://${authority(connectAddress(settings.BIND_ADDRESS), settings.SETTINGS_API_PORT)}`
}

/** Writes the file again and again, one after the other, and removes it at the end. */
export class EndpointsFile {
  #path: string
  #content: Omit<Endpoints, 'processes'>
  #last: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(path: string, content: Omit<Endpoints, 'processes'>) {
    this.#path = path
    this.#content = content
  }

  /** Writes the file with the pids as they are now. */
  write(pids: ReadonlyMap<string, number>): Promise<void> {
    const processes = Object.fromEntries([...pids].map(([name, pid]) => [name, [pid]]))
    const text = `${JSON.stringify({ ...this.#content, processes }, null, 2)}\n`
    this.#last = this.#last.then(() => (this.#isClosed ? undefined : writeFileAtomically(this.#path, text)))
    return this.#last
  }

  async remove(): Promise<void> {
    this.#isClosed = true
    await this.#last.catch(() => {})
    await rm(this.#path, { force: true })
  }
}
