// Where a domain wants its mail: the hosts that its MX records name, in their order (RFC 5321 section 5, RFC 7505).
import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { DnsError } from '@sekimori/dns/dns-error'
import type { Resolver } from '@sekimori/dns/resolver'
import { deferred, type Failure, rejected } from './outcome.ts'

/** A host that takes mail for the domain. */
export interface Exchange {
  /** In lower case, as A-labels. */
  host: string
  preference: number
}

export interface Route {
  kind: 'route'
  domain: string
  /** The best first; equals in random order. */
  exchanges: Exchange[]
  /** False when there is no MX record and the domain itself is the host. */
  hasMx: boolean
  /** Whether the DNS server has validated that these are the hosts (DNSSEC). */
  isValidated: boolean
  /** The same for domains that have the same hosts. */
  key: string
}

export type ResolveValidated = Resolver['resolveValidated']

type MxRecords = { exchange: string; priority: number }[]

const NULL_MX = '556 5.1.10 The domain takes no mail: it publishes a null MX'

/** Finds the way to a domain's servers. Hosts not preferred to `hostname`, ourselves, are left out. Never rejects. */
export async function findRoute(domain: string, resolve: ResolveValidated, hostname: string): Promise<Route | Failure> {
  try {
    const { records, isValidated } = await lookUpMx(domain, resolve)
    if (records.length === 0) return route(domain, [{ host: domain, preference: 0 }], false, isValidated)
    if (records.every(isNull)) return rejected('5.1.10', NULL_MX)
    const exchanges = ordered(records.filter((record) => !isNull(record)))
    if (exchanges.length === 0) return rejected('5.4.4', "The domain's MX records name no host")
    const others = preferredTo(hostname, exchanges)
    if (others.length > 0) return route(domain, others, true, isValidated)
    return rejected(
      '5.4.6',
      `The mail loops: the domain's MX record names this server, ${hostname}, which does not serve it`,
    )
  } catch (error) {
    if (!(error instanceof DnsError)) throw error
    return error.code === 'EBADNAME' || error.code === 'EBADQUERY'
      ? rejected('5.1.2', `${domain} is no domain name`)
      : deferred('4.4.3', `The DNS lookup of ${domain} failed (${error.code})`)
  }
}

async function lookUpMx(
  domain: string,
  resolve: ResolveValidated,
): Promise<{ records: MxRecords; isValidated: boolean }> {
  try {
    return await resolve(domainToASCII(domain) || domain, 'MX')
  } catch (error) {
    if (!(error instanceof DnsError) || (error.code !== 'ENOTFOUND' && error.code !== 'ENODATA')) throw error
    return { records: [], isValidated: error.isValidated }
  }
}

function isNull({ exchange }: MxRecords[number]): boolean {
  return exchange === '' || exchange === '.'
}

/** Each host once, at its best preference. An address instead of a name is no host. */
function ordered(records: MxRecords): Exchange[] {
  const best = new Map<string, number>()
  for (const { exchange, priority } of records) {
    const host = domainToASCII(exchange.replace(/\.$/, '')).toLowerCase()
    if (host !== '' && isIP(host) === 0) best.set(host, Math.min(priority, best.get(host) ?? priority))
  }
  return [...best]
    .map(([host, preference]) => ({ host, preference, chance: Math.random() }))
    .sort((one, other) => one.preference - other.preference || one.chance - other.chance)
    .map(({ host, preference }) => ({ host, preference }))
}

/** RFC 5321 section 5.1: when we are one of the hosts, only better ones count, or the mail would come back to us. */
function preferredTo(hostname: string, exchanges: Exchange[]): Exchange[] {
  const ours = exchanges.find(({ host }) => host === hostname.toLowerCase())
  return ours === undefined ? exchanges : exchanges.filter(({ preference }) => preference < ours.preference)
}

/** Makes a route of hosts in their order. */
export function route(domain: string, exchanges: Exchange[], hasMx: boolean, isValidated: boolean): Route {
  const key = exchanges
    .map(({ host, preference }) => `${preference} ${host}`)
    .sort()
    .join(',')
  return { kind: 'route', domain, exchanges, hasMx, isValidated, key }
}
