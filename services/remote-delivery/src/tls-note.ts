// What is told of a session's encryption to the domains whose mail it is for (RFC 8460).
import type { TlsaRecord } from '@sekimori/dns/records'
import type { Tlsa } from './dane.ts'
import type { TlsStance } from './destination.ts'
import type { StsPolicy } from './mta-sts.ts'
import type { OutboundMail } from './outbound-mail.ts'
import type { Route } from './route.ts'
import type { Server } from './server-address.ts'
import type { Opened } from './smtp.ts'
import type { TlsFault } from './tls-demand.ts'

/** How a session was encrypted, or why it was not, for TLS-RPT (RFC 8460). */
export interface TlsResult {
  policyDomain: string
  policy: { kind: 'tlsa'; records: TlsaRecord[] } | { kind: 'sts'; policy: StsPolicy } | { kind: 'no-policy-found' }
  host: string
  address: string
  fault?: TlsFault
}

/** Where a mail is to go, and what is demanded on the way. */
export interface Target {
  route: Route
  stance: TlsStance
  /** The domains of the recipients; several when they have the same servers. */
  domains: string[]
}

/** Tells of a session to the domains whose mail it is for; one that is kept may become other domains', too. */
export interface Note {
  report(): void
  with(opened: Opened): Opened
}

/** Makes the note of a session, with what failed. */
export function noteOf(
  server: Server,
  { stance, domains }: Target,
  mail: OutboundMail,
  tlsa: Tlsa,
  reportTls: (result: TlsResult) => void,
) {
  return (fault?: TlsFault): Note => {
    const reportFor = (policyDomain: string) => {
      if (!mail.isTlsReport) reportTls(resultOf(policyDomain, server, stance, tlsa, fault))
    }
    const report = () => domains.forEach(reportFor)
    return {
      report,
      with(opened) {
        if (opened.kind === 'open') opened.session.countsFor = onceEach(reportFor)
        else report()
        return opened
      },
    }
  }
}

function onceEach(report: (domain: string) => void): (domain: string) => void {
  const told = new Set<string>()
  return (domain) => {
    if (!told.has(domain)) report(domain)
    told.add(domain)
  }
}

/** RFC 8689 section 3: the sender would rather have the mail delivered than protected. */
export function isOptional({ isTlsOptional, envelope }: OutboundMail): boolean {
  return isTlsOptional && envelope.requireTls !== true
}

function resultOf(
  policyDomain: string,
  server: Server,
  { sts }: TlsStance,
  tlsa: Tlsa,
  fault: TlsFault | undefined,
): TlsResult {
  return {
    policyDomain,
    policy: policyOf(tlsa, sts),
    host: server.host,
    address: server.address,
    ...(fault === undefined ? {} : { fault }),
  }
}

function policyOf(tlsa: Tlsa, sts: StsPolicy | undefined): TlsResult['policy'] {
  if (tlsa.kind !== 'none') return { kind: 'tlsa', records: tlsa.kind === 'records' ? tlsa.records : [] }
  return sts === undefined ? { kind: 'no-policy-found' } : { kind: 'sts', policy: sts }
}
