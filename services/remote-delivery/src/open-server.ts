// Opening a session with one server, encrypted as far as it is demanded: opportunistic where nobody demands anything
// (RFC 7435: without TLS the mail goes in the clear), by DANE, MTA-STS, REQUIRETLS or the operator's word otherwise.
import { lookUpTlsa, type Tlsa } from './dane.ts'
import type { Exchangers, Reached } from './mx.ts'
import type { OutboundMail } from './outbound-mail.ts'
import { deferred, type Failure, rejected } from './outcome.ts'
import type { ResolveValidated } from './route.ts'
import type { Server } from './server-address.ts'
import type { Opened, TlsMode } from './smtp.ts'
import { proofOf, type TlsDemand, type TlsFault, type TlsFloor, tlsDemand } from './tls-demand.ts'
import { isOptional, type Note, noteOf, type Target, type TlsResult } from './tls-note.ts'

export interface OpenServerPorts {
  exchangers: Exchangers
  openSession(server: Reached, mode: TlsMode, signal: AbortSignal): Promise<Opened>
  /** How sessions with the smarthost are encrypted; undefined when mail goes to the recipients' own servers. */
  smarthostTls?: TlsMode
  resolve: ResolveValidated
  port: number
  reportTls(result: TlsResult): void
}

type Failed = Extract<Opened, { kind: 'failed' }>

/** Never rejects but for faults of our own. */
export async function openServer(
  server: Server,
  target: Target,
  mail: OutboundMail,
  ports: OpenServerPorts,
  signal: AbortSignal,
): Promise<Opened> {
  const isRequired = mail.envelope.requireTls === true
  if (ports.smarthostTls !== undefined)
    return openSmarthost(server, atLeast(ports.smarthostTls, target.stance.floor), isRequired, ports, signal)
  const { demand, tlsa } = await demandOf(server, target, mail, ports)
  const note = noteOf(server, target, mail, tlsa, ports.reportTls)
  if (demand.kind === 'excluded' && demand.isStrict) {
    note(demand.fault).report()
    return failed(deferred('4.7.5', `${server.host} is not to be trusted with this mail: ${demand.reason}`))
  }
  if (isRequired && !isAuthentic(demand))
    return failed(rejected('5.7.30', `REQUIRETLS is not possible: neither DANE nor MTA-STS vouches for ${server.host}`))
  const isStrict = isStrictDemand(demand)
  const opened = await connectAndOpen(server, isStrict ? 'encrypted' : 'opportunistic', ports, signal)
  if (opened.kind === 'failed') {
    if (!opened.isOfTls) return opened
    const noted = note(opened.offersTls ? 'validation-failure' : 'starttls-not-supported')
    if (!isStrict) return noted.with(await connectAndOpen(server, 'none', ports, signal))
    noted.report()
    return isRequired ? { ...opened, failure: requirementFailure(opened.failure) } : unencrypted(opened)
  }
  return proved(opened, demand, isStrict, isRequired, note)
}

function proved(
  opened: Extract<Opened, { kind: 'open' }>,
  demand: TlsDemand,
  isStrict: boolean,
  isRequired: boolean,
  note: (fault?: TlsFault) => Note,
): Opened {
  const { session } = opened
  const { tlsSocket } = session
  if (tlsSocket === undefined) return note('starttls-not-supported').with(opened)
  session.proof = proofOf(tlsSocket, demand)
  const { fault, reason } = session.proof
  if (fault === undefined || !isStrict) return note(fault).with(opened)
  note(fault).report()
  session.close()
  const failure = {
    ...deferred('4.7.5', `The server did not prove who it is: ${reason}`),
    remoteMta: session.remoteMta,
  }
  return failed(isRequired ? requirementFailure(failure) : failure)
}

async function demandOf(
  server: Server,
  { route, stance: { floor, sts } }: Target,
  mail: OutboundMail,
  { resolve, port }: OpenServerPorts,
): Promise<{ demand: TlsDemand; tlsa: Tlsa }> {
  const tlsa: Tlsa = isOptional(mail) ? { kind: 'none' } : await lookUpTlsa(route, server, port, resolve)
  return { demand: tlsDemand({ floor, sts: isOptional(mail) ? undefined : sts, tlsa, host: server.host }), tlsa }
}

function isStrictDemand(demand: TlsDemand): boolean {
  switch (demand.kind) {
    case 'none':
      return false
    case 'encrypted':
    case 'dane':
      return true
    case 'verified':
    case 'excluded':
      return demand.isStrict
  }
}

/** RFC 8689 section 4.2.1: that this is the domain's server must be known by DNSSEC or MTA-STS, not only its certificate. */
function isAuthentic(demand: TlsDemand): boolean {
  return demand.kind === 'dane' || (demand.kind === 'verified' && demand.by === 'MTA-STS' && demand.isStrict)
}

/** What an operator asks for a domain holds on the way to the smarthost; further on it can't be asked for. */
function atLeast(tls: TlsMode, floor: TlsFloor): TlsMode {
  if (tls !== 'opportunistic') return tls
  switch (floor) {
    case 'opportunistic':
      return tls
    case 'encrypted':
      return 'encrypted'
    case 'verified':
      return 'required'
  }
}

async function openSmarthost(
  server: Server,
  tls: TlsMode,
  isRequired: boolean,
  ports: OpenServerPorts,
  signal: AbortSignal,
): Promise<Opened> {
  const isWeak = tls === 'opportunistic' || tls === 'encrypted'
  const opened = await connectAndOpen(server, isRequired && isWeak ? 'required' : tls, ports, signal)
  if (opened.kind === 'open' || !opened.isOfTls) return opened
  if (isRequired) return { ...opened, failure: requirementFailure(opened.failure) }
  if (tls === 'opportunistic') return connectAndOpen(server, 'none', ports, signal)
  return opened.offersTls ? opened : unencrypted(opened)
}

async function connectAndOpen(
  server: Server,
  mode: TlsMode,
  { exchangers, openSession }: OpenServerPorts,
  signal: AbortSignal,
): Promise<Opened> {
  const reach = await exchangers.connect(server, signal)
  return reach.kind === 'reached' ? openSession(reach, mode, signal) : failed(reach)
}

/** A server without TLS that holds will not have it at the next attempt; a lost connection says nothing (RFC 8689). */
function requirementFailure(failure: Failure): Failure {
  if (failure.status === '4.4.2') return failure
  return { ...failure, ...rejected('5.7.30', `REQUIRETLS is not possible: ${failure.diagnostic}`) }
}

/** That TLS is missing may be somebody's mistake, or an attack: the mail waits (RFC 7672 section 2.2, RFC 8461 section 5). */
function unencrypted(opened: Failed): Failed {
  const { failure } = opened
  const text = `Encryption is demanded and did not come about: ${failure.diagnostic}`
  return { ...opened, failure: { ...failure, ...deferred('4.7.10', text) } }
}

function failed(failure: Failure): Failed {
  return { kind: 'failed', failure, isOfTls: false, offersTls: false }
}
