// Recipients that are reached by the same servers share one dialogue.
import { isIP } from 'node:net'
import { domainOf } from '@sekimori/mail/address'
import type { Recipient } from '@sekimori/mail/job'
import type { StsPolicy } from './mta-sts.ts'
import { type Failure, rejected } from './outcome.ts'
import type { Route } from './route.ts'
import type { Smarthost } from './smarthost.ts'
import type { TlsFloor } from './tls-demand.ts'

/** What is demanded of the encryption on the way to a domain. */
export interface TlsStance {
  floor: TlsFloor
  sts?: StsPolicy | undefined
}

/** Where some recipients of a mail are delivered. `name` is the domain (of several the first), or the smarthost. */
export interface Destination {
  name: string
  recipients: Recipient[]
  /** The way there, when it is known already. */
  route?: Route | Failure
  tls?: TlsStance
  /** The operator's words, when there is to be no delivery for now. */
  pause?: string
}

/** Groups recipients by domain, or puts them all to the smarthost; each address once. */
export function destinationsOf(recipients: Recipient[], smarthost?: Smarthost): Destination[] {
  const unique = new Map(recipients.map((recipient) => [recipient.address, recipient]))
  const groups = Map.groupBy(unique.values(), ({ address }) => smarthost?.host ?? domainOf(address))
  return [...groups].map(([name, members]) => ({ name, recipients: members }))
}

/** Why a domain has no mail servers that may be looked for: it is an address (literal), or this machine (RFC 6761). */
export function routingFault(domain: string): Failure | undefined {
  if (domain === '') return rejected('5.1.2', 'The address has no domain that mail can be sent to')
  if (domain.startsWith('[') || isIP(domain) !== 0)
    return rejected('5.1.2', 'Mail is sent to domains only, not to IP addresses')
  if (/(^|\.)localhost$/.test(domain)) return rejected('5.1.2', 'The domain means this machine')
  return undefined
}
