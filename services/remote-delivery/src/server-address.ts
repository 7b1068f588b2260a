// The addresses of a route's hosts, in the order in which they are tried (RFC 5321 section 5.1). An address that could not
// be reached a moment ago comes last, so that a dead host costs the next mails nothing.
import { isIP } from 'node:net'
import { DnsError } from '@sekimori/dns/dns-error'
import { deferred, type Failure, rejected } from './outcome.ts'
import type { Exchange, ResolveValidated, Route } from './route.ts'

export interface Server extends Exchange {
  kind: 'server'
  address: string
  /** Whether the DNS server has validated the host's addresses (DNSSEC). */
  isAddressValidated: boolean
}

const UNREACHABLE_MS = 120_000
/** Of one host; more tell of a mistake, or of somebody who wants us busy. */
const ADDRESSES_MOST = 6

export class ServerAddresses {
  readonly #resolve: ResolveValidated
  readonly #unreachable = new Map<string, number>()

  constructor(resolve: ResolveValidated) {
    this.#resolve = resolve
  }

  /** Each server of the route once, or what kept a host's addresses from being found. */
  async *of({ domain, exchanges, hasMx }: Route): AsyncGenerator<Server | Failure> {
    const last: Server[] = []
    const seen = new Set<string>()
    for (const exchange of exchanges) {
      const found = await this.#lookUp(exchange, domain, hasMx)
      if (!Array.isArray(found)) {
        yield found
        continue
      }
      for (const server of found.filter(({ address }) => !seen.has(address))) {
        seen.add(server.address)
        if (this.#isUnreachable(server.address)) last.push(server)
        else yield server
      }
    }
    yield* last
  }

  /** Notes that nobody answers there for now. */
  noteUnreachable(address: string): void {
    const now = performance.now()
    for (const [other, until] of this.#unreachable) if (until <= now) this.#unreachable.delete(other)
    this.#unreachable.set(address, now + UNREACHABLE_MS)
  }

  noteReached(address: string): void {
    this.#unreachable.delete(address)
  }

  #isUnreachable(address: string): boolean {
    return (this.#unreachable.get(address) ?? 0) > performance.now()
  }

  async #lookUp(exchange: Exchange, domain: string, hasMx: boolean): Promise<Server[] | Failure> {
    const { host } = exchange
    const server = (address: string, isAddressValidated: boolean): Server => ({
      kind: 'server',
      ...exchange,
      address,
      isAddressValidated,
    })
    // An operator's word for a server may be an address; a domain's never is (see routingFault).
    if (isIP(host) !== 0) return [server(host, false)]
    // Nor is the name for this machine asked of the DNS (RFC 6761 section 6.3).
    if (host === 'localhost') return [server('127.0.0.1', false), server('::1', false)]
    const answers = await Promise.all([this.#ask(host, 'A'), this.#ask(host, 'AAAA')])
    const [ipv4, ipv6] = answers.map(({ addresses, isValidated }) => addresses.map((one) => server(one, isValidated)))
    const both = interleaved(ipv4!, ipv6!).slice(0, ADDRESSES_MOST)
    if (both.length > 0) return both
    const fault = answers.find(({ fault }) => fault !== undefined)?.fault
    if (fault !== undefined) return deferred('4.4.3', `The DNS lookup of the mail server ${host} failed (${fault})`)
    return hasMx
      ? rejected('5.4.4', `The mail server ${host} of ${domain} has no address`)
      : rejected('5.1.2', `There is no domain ${domain} that takes mail: it has neither MX records nor an address`)
  }

  async #ask(host: string, type: 'A' | 'AAAA'): Promise<{ addresses: string[]; isValidated: boolean; fault?: string }> {
    try {
      const { records, isValidated } = await this.#resolve(host, type)
      return { addresses: records, isValidated }
    } catch (error) {
      if (!(error instanceof DnsError)) throw error
      const isAnswer = ['ENOTFOUND', 'ENODATA', 'EBADNAME'].includes(error.code)
      return { addresses: [], isValidated: error.isValidated, ...(isAnswer ? {} : { fault: error.code }) }
    }
  }
}

/** One of each in turn, so that a network without one of the two protocols costs one try. */
function interleaved<T>(one: T[], other: T[]): T[] {
  const length = Math.max(one.length, other.length)
  return Array.from({ length }, (_, index) => [one[index], other[index]])
    .flat()
    .filter((value) => value !== undefined)
}
