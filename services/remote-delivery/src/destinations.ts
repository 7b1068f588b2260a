// Where the recipients of a mail are to be delivered: one destination for all that the same servers take, under the same
// demands, even of several domains.
import { domainOf } from '@sekimori/mail/address'
import type { Recipient } from '@sekimori/mail/job'
import type { DestinationPolicy } from '@sekimori/store/destination'
import { type Destination, destinationsOf } from './destination.ts'
import type { StsPolicy } from './mta-sts.ts'
import type { Failure } from './outcome.ts'
import type { Route } from './route.ts'
import type { Smarthost } from './smarthost.ts'
import type { TlsFloor } from './tls-demand.ts'

export interface DestinationPorts {
  route(domain: string): Promise<Route | Failure>
  /** What operators have decided about the domain. */
  policy(domain: string): Promise<DestinationPolicy | undefined>
  sts(domain: string): Promise<StsPolicy | undefined>
}

/** Finds the way for each domain; domains that share it and what is demanded of it are one destination. */
export async function findDestinations(recipients: Recipient[], ports: DestinationPorts): Promise<Destination[]> {
  const found = await Promise.all(destinationsOf(recipients).map((destination) => describe(destination, ports)))
  return Map.groupBy(found, keyOf).values().map(merge).toArray()
}

/**
 * The same by way of a smarthost: one destination, but for what operators have decided about some of the domains: mail to
 * a paused one is put off, and the encryption that is demanded for one is demanded of the smarthost.
 */
export async function smarthostDestinations(
  recipients: Recipient[],
  smarthost: Smarthost,
  policyOf: DestinationPorts['policy'],
): Promise<Destination[]> {
  const found: Destination[] = []
  const byFloor = new Map<TlsFloor, Recipient[]>()
  for (const destination of destinationsOf(recipients)) {
    const { isPaused = false, pauseReason = '', tls = 'opportunistic' } = (await policyOf(destination.name)) ?? {}
    if (isPaused) found.push({ ...destination, pause: pauseReason })
    else byFloor.set(tls, [...(byFloor.get(tls) ?? []), ...destination.recipients])
  }
  for (const [floor, members] of byFloor)
    for (const destination of destinationsOf(members, smarthost)) found.push({ ...destination, tls: { floor } })
  return found
}

async function describe(destination: Destination, ports: DestinationPorts): Promise<Destination> {
  const { name } = destination
  const policy = await ports.policy(name)
  if (policy?.isPaused) return { ...destination, pause: policy.pauseReason ?? '' }
  const route = await ports.route(name)
  const sts = route.kind === 'route' ? await ports.sts(name) : undefined
  return { ...destination, route, tls: { floor: policy?.tls ?? 'opportunistic', sts } }
}

function keyOf({ name, route, tls, pause }: Destination): string {
  if (pause !== undefined || route?.kind !== 'route') return name
  const { sts } = tls!
  const demands = [tls!.floor, ...(sts === undefined ? [] : [sts.mode, ...sts.mx])]
  return `${demands.join(' ')} by ${route.isValidated} ${route.key}`
}

function merge([first, ...others]: Destination[]): Destination {
  return { ...first!, recipients: [...first!.recipients, ...others.flatMap(({ recipients }) => recipients)] }
}

/** The domains of a destination. */
export function domainsOf({ recipients }: Destination): string[] {
  return [...new Set(recipients.map(({ address }) => domainOf(address)))]
}
