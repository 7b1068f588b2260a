// The world outside for tests: a DNS server, and mail servers on addresses of 127.0.0.0/8 that share one port.
import { isIPv4 } from 'node:net'
import { createResolver, type Resolver } from '@sekimori/dns/resolver'
import type { Job, Recipient } from '@sekimori/mail/job'
import { type DnsServerOptions, startDnsServer } from '@sekimori/testing/dns-server'
import { type RemoteServer, type RemoteServerOptions, startRemoteServer } from '@sekimori/testing/remote-server'
import { type DeliverPorts, deliver } from '../deliver.ts'
import type { TlsStance } from '../destination.ts'
import { type ExchangerOptions, openExchangers } from '../mx.ts'
import { outboundMail } from '../outbound-mail.ts'
import { SessionPool } from '../session-pool.ts'
import { openSession, type SmtpOptions } from '../smtp.ts'
import type { TlsResult } from '../tls-note.ts'

type DnsServer = Awaited<ReturnType<typeof startDnsServer>>

export const smtpOptions: SmtpOptions = {
  ehloName: 'mail.example.test',
  greetingTimeoutMs: 60_000,
  commandTimeoutMs: 60_000,
  dataTimeoutMs: 60_000,
  dataEndTimeoutMs: 60_000,
}

/** Opens the world; disposing it ends everything. `dnsTimeoutMs`: how long a DNS server may keep silent. */
export async function openOutside(dnsOptions: DnsServerOptions = {}, dnsTimeoutMs = 5_000) {
  await using resources = new AsyncDisposableStack()
  const dns = resources.use(await startDnsServer(dnsOptions))
  const resolver = resources.use(createResolver({ servers: [dns.address], timeoutMs: dnsTimeoutMs, attempts: 2 }))
  return new Outside(dns, resolver, resources.move())
}

export class Outside implements AsyncDisposable {
  readonly dns: DnsServer
  readonly resolver: Resolver
  /** The port of every server. */
  port = 0
  readonly #resources: AsyncDisposableStack
  #hosts = 0

  constructor(dns: DnsServer, resolver: Resolver, resources: AsyncDisposableStack) {
    this.dns = dns
    this.resolver = resolver
    this.#resources = resources
  }

  /** Starts a server and makes it an MX of the domain. */
  async startMx(domain: string, options: RemoteServerOptions & { priority?: number } = {}): Promise<RemoteServer> {
    const { priority = 10, host = this.nextHost(), ...rest } = options
    const server = this.#resources.use(await startRemoteServer({ host, port: this.port, ...rest }))
    this.port = server.port
    if (isIPv4(host)) this.addMx(domain, host, priority)
    return server
  }

  /** An address that nobody listens at. */
  nextHost(): string {
    return `127.0.0.${++this.#hosts + 1}`
  }

  readonly #records = new Map<string, { exchange: string; priority: number }[]>()

  addMx(domain: string, host: string, priority: number): void {
    const exchange = `mx${host.split('.').at(-1)}.${domain}`
    const records = [...(this.#records.get(domain) ?? []), { exchange, priority }]
    this.#records.set(domain, records)
    this.dns.set(domain, 'MX', records)
    this.dns.set(exchange, 'A', [host])
  }

  /** TLS results of all sessions. */
  readonly tlsResults: TlsResult[] = []

  /** `idleMs`: how long sessions are kept for the next mail. */
  ports(smtp: Partial<SmtpOptions> = {}, exchangers: Partial<ExchangerOptions> = {}, idleMs = 0): DeliverPorts {
    const options = { ...smtpOptions, ...smtp }
    const { resolveValidated: resolve } = this.resolver
    const common = { resolve, port: this.port, connectTimeoutMs: 20_000, refusesPrivateAddresses: false }
    const { smarthost } = exchangers
    return {
      exchangers: openExchangers({ ...common, hostname: smtpOptions.ehloName, ...exchangers }),
      openSession: (server, mode, signal) => openSession(server, mode, options, signal),
      ...(smarthost === undefined ? {} : { smarthostTls: smarthost.tls }),
      resolve,
      port: this.port,
      reportTls: (result) => void this.tlsResults.push(result),
      pool: this.#resources.use(new SessionPool({ idleMs, mailsPerSession: 100 })),
    }
  }

  /** One attempt with the whole job at the domain of its first recipient. */
  deliver(job: Job, ports = this.ports(), signal = new AbortController().signal, tls?: TlsStance) {
    const { recipients } = job.envelope
    const name = recipients[0]!.address.split('@')[1]!
    return deliver(mailOf(job), { name, recipients, ...(tls === undefined ? {} : { tls }) }, ports, signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}

export function mailOf(job: Job) {
  const bytes = job.content.kind === 'inline' ? job.content.bytes : Buffer.alloc(0)
  const head = bytes.subarray(0, bytes.indexOf('\r\n\r\n') + 4)
  return outboundMail(job, head, async function* () {
    yield bytes
  })
}

const TEXT = 'From: alice@example.test\r\nSubject: hello\r\n\r\nbody\r\n'

/** A job as dkim-signer hands it over. */
export function outboundJob(recipients: (string | Recipient)[], over: Partial<Job> = {}, text = TEXT): Job {
  return {
    queueId: '01h0000000abcdefghjkmn',
    direction: 'outbound',
    acceptedAt: Date.now(),
    session: { receivedBy: 'submission', account: 'alice@example.test' },
    added: [],
    struck: [],
    history: [],
    content: { kind: 'inline', bytes: Buffer.from(text) },
    ...over,
    envelope: {
      mailFrom: 'alice@example.test',
      recipients: recipients.map((recipient) => (typeof recipient === 'string' ? { address: recipient } : recipient)),
      ...over.envelope,
    },
  } as Job
}
