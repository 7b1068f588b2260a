// The whole system on this machine: what is started in which order, and how it ends.
import { rm } from 'node:fs/promises'
import { describeFetching, describeSystem, signatureWarning } from './announcement.ts'
import { ensureCertificates, type TlsFiles } from './certificates.ts'
import { listeners, type Settings } from './config.ts'
import { seedDemoData } from './demo-data.ts'
import { describeEndpoints, EndpointsFile, settingsApiUrl } from './endpoints.ts'
import { Freshclam } from './freshclam.ts'
import { clearLeftovers } from './leftovers.ts'
import { checkPorts } from './listener-ports.ts'
import { loadStateSecrets, removeScratch, type Servers, serverStopOrder, startServers } from './servers.ts'
import { type Service, serviceNames, servicePrograms } from './services.ts'
import { hasOfficialSignatures, reloadOnChange } from './signatures.ts'
import type { StatePaths } from './state-directory.ts'
import type { StopRequest } from './stop-request.ts'
import { Supervisor } from './supervisor.ts'
import { ensureInstalled, serverPackages } from './system-packages.ts'

export type Say = (line: string) => void

/** Runs the system until it is told to stop. The state directory is locked for us. */
export async function runLocalSystem(
  settings: Settings,
  paths: StatePaths,
  request: StopRequest,
  say: Say,
): Promise<void> {
  await rm(paths.endpoints, { force: true })
  const leftovers = await clearLeftovers(paths.run)
  if (leftovers.length > 0) say(`Cleared what an earlier run left: ${leftovers.join(', ')}`)
  await checkPorts(settings.BIND_ADDRESS, listenerPorts(settings))
  await ensureInstalled(serverPackages, say)
  await using resources = new AsyncDisposableStack()
  const system = new LocalSystem(settings, paths, say, resources)
  const stopUrgently = () => system.supervisor.killAll()
  request.urgent.addEventListener('abort', stopUrgently)
  const started = request.stopping.aborted ? Promise.resolve() : system.start()
  try {
    await Promise.race([started, request.requested])
    await request.requested
    say('Stopping … / 停止しています …')
  } finally {
    await system.stop()
    // A start that was interrupted ends now that its programs are gone.
    await started.catch(() => {})
  }
  say('Stopped. / 停止しました。')
}

class LocalSystem {
  readonly supervisor: Supervisor
  #settings: Settings
  #paths: StatePaths
  #say: Say
  #resources: AsyncDisposableStack
  #endpoints: EndpointsFile | undefined

  constructor(settings: Settings, paths: StatePaths, say: Say, resources: AsyncDisposableStack) {
    this.#settings = settings
    this.#paths = paths
    this.#say = say
    this.#resources = resources
    this.supervisor = new Supervisor(paths.run, {
      onStarted: () => void this.#endpoints?.write(this.supervisor.pids),
      onEnded: (name, how, restartInMs) =>
        say(`${name} ended (${how}); it is started again ${restartInMs === 0 ? 'now' : `in ${restartInMs / 1000} s`}`),
    })
  }

  async start(): Promise<void> {
    const settings = this.#settings
    const paths = this.#paths
    const [secrets, tls] = await Promise.all([loadStateSecrets(paths), ensureTls(settings, paths)])
    this.#say('Starting Postgres, RabbitMQ and clamd …')
    const servers = await startServers(settings, paths, secrets, this.supervisor)
    this.#resources.defer(() => removeScratch(servers.scratchDir))
    this.#watchSignatures(servers)
    this.#say('Starting the services …')
    const services = await servicePrograms({ settings, paths, secrets, servers, tls, environment: process.env })
    await this.#startServices(services, servers)
    await seedDemoData(settingsApiUrl(settings), secrets.adminApiKey, secrets)
    const content = describeEndpoints(settings, secrets, servers, services, tls.caCertificate)
    this.#endpoints = new EndpointsFile(paths.endpoints, content)
    this.#say(describeSystem(settings, content))
    if (!hasOfficialSignatures(paths.signatures)) this.#say(signatureWarning(paths.signatures))
    await this.#endpoints.write(this.supervisor.pids)
  }

  /** Services first, then the servers that they work with. */
  async stop(): Promise<void> {
    await this.#endpoints?.remove()
    await this.supervisor.stop([...serviceNames])
    for (const names of serverStopOrder) await this.supervisor.stop(names)
  }

  async #startServices(services: Service[], servers: Servers): Promise<void> {
    const starts = services.map(async ({ program }) => {
      await this.supervisor.start(program)
      this.#say(`  ${program.name} is ready`)
    })
    await Promise.all([servers.broker, ...starts])
  }

  #watchSignatures(servers: Servers): void {
    const warn = (error: Error) => this.#say(`clamd was not told to reload its signatures: ${error.message}`)
    this.#resources.use(reloadOnChange(this.#paths.signatures, servers.clamdAddress, warn))
    if (this.#settings.SIGNATURE_UPDATES === 'off') return
    const onChange = (fault: string | undefined) => this.#say(describeFetching(fault))
    this.#resources.use(new Freshclam({ paths: this.#paths, onChange }))
  }
}

function ensureTls(settings: Settings, paths: StatePaths): Promise<TlsFiles> {
  const unspecified = ['0.0.0.0', '::']
  const bound = unspecified.includes(settings.BIND_ADDRESS) ? [] : [settings.BIND_ADDRESS]
  const names = new Set(['localhost', '127.0.0.1', '::1', settings.MAIL_HOSTNAME, ...bound])
  return ensureCertificates(paths.tls, [...names])
}

function listenerPorts(settings: Settings): { setting: string; port: number }[] {
  // The portal's port is accepted already; nothing listens there yet.
  const names = (Object.keys(listeners) as (keyof typeof listeners)[]).filter((name) => name !== 'PORTAL_PORT')
  return names.map((setting) => ({ setting, port: settings[setting] }))
}
