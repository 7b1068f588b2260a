// The world outside for tests: a DNS server, and mail servers on addresses of 127.0.0.0/8 that share one port.
import { createResolver } from '@sekimori/dns/resolver'
import type { Job, Recipient } from '@sekimori/mail/job'
import { type DnsServerOptions, startDnsServer } from '@sekimori/testing/dns-server'
import { type RemoteServer, type RemoteServerOptions, startRemoteServer } from '@sekimori/testing/remote-server'
import { type DeliverPorts, deliver } from '../deliver.ts'
import { type ExchangerOptions, openExchangers } from '../mx.ts'
import { outboundMail } from '../outbound-mail.ts'
import { openSession, type SmtpOptions } from '../smtp.ts'

type DnsServer = Awaited<ReturnType<typeof startDnsServer>>

export const smtpOptions: SmtpOptions = {
  ehloName: 'mail.example.test',
  greetingTimeoutMs: 5_000,
  commandTimeoutMs: 5_000,
  dataTimeoutMs: 5_000,
  dataEndTimeoutMs: 5_000,
}

/** Opens the world; disposing it ends everything. */
export async function openOutside(dnsOptions: DnsServerOptions = {}) {
  await using resources = new AsyncDisposableStack()
  const dns = resources.use(await startDnsServer(dnsOptions))
  const { resolve } = resources.use(createResolver({ servers: [dns.address], timeoutMs: 300, attempts: 1 }))
  return new Outside(dns, resolve, resources.move())
}

export class Outside implements AsyncDisposable {
  readonly dns: DnsServer
  readonly resolve: ExchangerOptions['resolve']
  /** The port of every server. */
  port = 0
  readonly #resources: AsyncDisposableStack
  #hosts = 0

  constructor(dns: DnsServer, resolve: ExchangerOptions['resolve'], resources: AsyncDisposableStack) {
    this.dns = dns
    this.resolve = resolve
    this.#resources = resources
  }

  /** Starts a server and makes it an MX of the domain. */
  async startMx(domain: string, options: RemoteServerOptions & { priority?: number } = {}): Promise<RemoteServer> {
    const { priority = 10, ...rest } = options
    const host = this.nextHost()
    const server = this.#resources.use(await startRemoteServer({ host, port: this.port, ...rest }))
    this.port = server.port
    this.addMx(domain, host, priority)
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

  ports(smtp: Partial<SmtpOptions> = {}, exchangers: Partial<ExchangerOptions> = {}): DeliverPorts {
    const options = { ...smtpOptions, ...smtp }
    return {
      exchangers: openExchangers({
        resolve: this.resolve,
        port: this.port,
        connectTimeoutMs: 1_000,
        refusesPrivateAddresses: false,
        ...exchangers,
      }),
      openSession: (server, mode, signal) => openSession(server, mode, options, signal),
      tlsMode: exchangers.smarthost?.tls ?? 'opportunistic',
    }
  }

  /** One attempt with the whole job at the domain of its first recipient. */
  deliver(job: Job, ports = this.ports(), signal = new AbortController().signal) {
    const { recipients } = job.envelope
    const name = recipients[0]!.address.split('@')[1]!
    return deliver(mailOf(job), { name, recipients }, ports, signal)
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
