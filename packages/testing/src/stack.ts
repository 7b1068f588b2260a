// The whole system as a black-box test sees it: started by npm start's program in a directory and on ports of its own,
// with a DNS server and a remote mail server that belong to the test.
import { randomBytes, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { startDnsServer, type TestDnsServer } from './dns-server.ts'
import { eventually } from './eventually.ts'
import { type Endpoints, type Launcher, launch } from './launcher.ts'
import { makePolicyHost, type PolicyHost } from './policy-host.ts'
import { type RemoteServer, startRemoteServer } from './remote-server.ts'
import { type ApiAnswer, callApi, type Method } from './settings-client.ts'
import { StackMail } from './stack-mail.ts'
import { StackProcesses } from './stack-processes.ts'
import { HOSTNAME, isolatedSettings, newStateDirectory } from './stack-settings.ts'

export interface StackOptions {
  /** Settings of npm start and of the services, over those that every stack has. */
  settings?: Record<string, string>
  /** Kept at the end; without it the stack has a new one, and removes it. */
  stateDir?: string
}

export interface Mailbox {
  address: string
  password: string
}

export const DOMAIN = 'example.test'

/** Starts the system and waits until it is ready. Dispose it: that fails when something is left running. */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  await using resources = new AsyncDisposableStack()
  const dns = resources.use(await startDnsServer())
  const remote = resources.use(await startRemoteServer())
  const stateDir = options.stateDir ?? newStateDirectory()
  if (options.stateDir === undefined) resources.defer(() => rm(stateDir, { recursive: true, force: true }))
  const policyHost = resources.use(await makePolicyHost())
  const settings = {
    ...(await isolatedSettings(stateDir)),
    ...policyHost.settings,
    DNS_SERVERS: dns.address,
    RELAY_PORT: String(remote.port),
    RETRY_SCHEDULE: '1s',
    RETRY_POLL_INTERVAL: '200ms',
    QUARANTINE_POLL_INTERVAL: '200ms',
    // The one test that waits for a summary lets its time come itself.
    WARNING_SUMMARY_AFTER_MS: '900000',
    REPORT_POLL_INTERVAL: '500ms',
    REPORT_SPREAD: '1ms',
    REPORT_DELAY: '1ms',
    ...options.settings,
  }
  const launcher = launch(settings)
  resources.defer(() => launcher.stop())
  const stack = new Stack(launcher, await launcher.untilReady(), settings, dns, remote, policyHost)
  await stack.publishDnsRecords()
  stack.own(resources.move())
  return stack
}

export class Stack extends StackMail implements AsyncDisposable {
  readonly launcher: Launcher
  readonly settings: Record<string, string>
  readonly dns: TestDnsServer
  readonly remote: RemoteServer
  /** For MTA-STS of a domain outside. */
  readonly policyHost: PolicyHost
  readonly processes: StackProcesses
  #resources = new AsyncDisposableStack()
  #ending: Promise<void> | undefined

  constructor(
    launcher: Launcher,
    endpoints: Endpoints,
    settings: Record<string, string>,
    dns: TestDnsServer,
    remote: RemoteServer,
    policyHost: PolicyHost,
  ) {
    super(endpoints)
    this.policyHost = policyHost
    this.launcher = launcher
    this.settings = settings
    this.dns = dns
    this.remote = remote
    this.processes = new StackProcesses(launcher)
  }

  /** Calls the settings API as the operator. */
  api(method: Method, path: string, body?: unknown): Promise<ApiAnswer> {
    return callApi(this.endpoints.settingsApi, this.endpoints.adminApiKey, method, path, body)
  }

  /** An account that no other test knows. */
  async createMailbox(options: { locale?: 'ja' | 'en' } = {}): Promise<Mailbox> {
    const mailbox = { address: `u-${randomUUID().slice(0, 13)}@${DOMAIN}`, password: randomBytes(12).toString('hex') }
    await this.#made(await this.api('POST', '/v1/accounts', { ...mailbox, ...options }))
    return mailbox
  }

  /** A mailing list; resolves to its address. */
  async createList(...members: Mailbox[]): Promise<string> {
    const address = `l-${randomUUID().slice(0, 13)}@${DOMAIN}`
    await this.#made(await this.api('POST', '/v1/lists', { address, members: members.map((member) => member.address) }))
    return address
  }

  /** A domain of somebody else, whose MX is the test's remote server; resolves to its name. */
  createRemoteDomain(): string {
    const domain = `d-${randomUUID().slice(0, 13)}.test`
    this.dns.set(domain, 'MX', [{ exchange: `mx.${domain}`, priority: 10 }])
    this.dns.set(`mx.${domain}`, 'A', ['127.0.0.1'])
    return domain
  }

  /** Whether the service calls itself ready (/readyz). */
  async isReady(service: string): Promise<boolean> {
    const response = await fetch(`${this.endpoints.health[service]}/readyz`, { signal: AbortSignal.timeout(5_000) })
    await response.arrayBuffer()
    return response.status === 200
  }

  /** Waits until every service calls itself ready. */
  async untilReady(): Promise<void> {
    for (const service of Object.keys(this.endpoints.health))
      await eventually(() => this.isReady(service), { withinMs: 60_000, what: `${service} to be ready` })
  }

  /** The lines of a service's log, as objects. */
  logLines(service: string): Record<string, unknown>[] {
    const text = readFileSync(join(this.launcher.stateDir, 'logs', `${service}.log`), 'utf8')
    return text
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line))
  }

  /** Publishes what the settings API says is to be published for a domain. */
  async publishDnsRecords(domain = DOMAIN): Promise<void> {
    const { body } = await this.api('GET', `/v1/domains/${domain}/dns-records`)
    for (const record of body.items) {
      if (record.type === 'TXT') this.dns.set(record.name, 'TXT', [record.value])
      else this.dns.set(record.name, 'MX', [mxOf(record.value)])
    }
    this.dns.set(HOSTNAME, 'A', ['127.0.0.1'])
  }

  /** Lets the test's own servers go; for a stack whose launcher was killed, so that it can't be stopped. */
  async abandon(): Promise<void> {
    await this.dns[Symbol.asyncDispose]()
    await this.remote[Symbol.asyncDispose]()
    await this.policyHost[Symbol.asyncDispose]()
  }

  /** Takes over what disposing the stack is to dispose. */
  own(resources: AsyncDisposableStack): void {
    this.#resources = resources
  }

  /** Whoever asks for it a second time waits for the same end. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#ending ??= this.#resources.disposeAsync()
    return this.#ending
  }

  async #made(answer: ApiAnswer): Promise<void> {
    if (answer.status !== 201) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
  }
}

function mxOf(value: string): { exchange: string; priority: number } {
  const [priority, exchange] = value.split(' ')
  return { priority: Number(priority), exchange: exchange!.replace(/\.$/, '') }
}
