// One attempt to bring a mail to a destination: its servers in their order, until one takes the dialogue up.
import type { Recipient } from '@sekimori/mail/job'
import type { Destination } from './destination.ts'
import type { Exchangers, Reached } from './mx.ts'
import type { OutboundMail } from './outbound-mail.ts'
import { decisiveFailure, type Failure, type Outcome, rejected } from './outcome.ts'
import type { Opened, TlsMode } from './smtp.ts'

export interface DeliverPorts {
  exchangers: Exchangers
  openSession(server: Reached, mode: TlsMode, signal: AbortSignal): Promise<Opened>
  /** How sessions are encrypted, for mail that asks for nothing more. */
  tlsMode: TlsMode
}

const SERVERS_MOST = 10

/** Resolves to what became of each recipient. @throws what reading the content throws, when nobody was sent anything. */
export async function deliver(
  mail: OutboundMail,
  { name, recipients }: Destination,
  ports: DeliverPorts,
  signal: AbortSignal,
): Promise<Map<string, Outcome>> {
  const failures: Failure[] = []
  const tried: string[] = []
  while (tried.length < SERVERS_MOST) {
    const reach = await ports.exchangers.reach(name, tried, signal)
    if (reach.kind === 'exhausted') break
    if (reach.kind !== 'reached') return everyone(recipients, decisiveFailure([reach, ...failures]))
    const opened = await openEncrypted(reach, mail, ports, signal)
    if (opened.kind === 'open') {
      using session = opened.session
      return await session.send(mail, recipients, signal)
    }
    failures.push(opened.failure)
    if (signal.aborted) break
    tried.push(reach.address)
  }
  return everyone(recipients, decisiveFailure(failures as [Failure, ...Failure[]]))
}

function everyone(recipients: Recipient[], failure: Failure): Map<string, Outcome> {
  return new Map(recipients.map(({ address }) => [address, failure]))
}

/** Opportunistic encryption (RFC 7435): where TLS does not come about, the mail goes without it. */
async function openEncrypted(
  server: Reached,
  mail: OutboundMail,
  { exchangers, openSession, tlsMode }: DeliverPorts,
  signal: AbortSignal,
): Promise<Opened> {
  const isRequired = mail.envelope.requireTls === true
  const mode = isRequired && tlsMode === 'opportunistic' ? 'required' : tlsMode
  const opened = await openSession(server, mode, signal)
  if (opened.kind === 'open' || !opened.isOfTls) return opened
  if (isRequired) return { ...opened, failure: tlsRequirementFailure(opened.failure) }
  if (mode !== 'opportunistic') return opened
  const again = await exchangers.reachAgain(server, signal)
  return again.kind === 'reached' ? openSession(again, 'none', signal) : opened
}

/** A server without TLS that holds will not have it at the next attempt; a lost connection says nothing (RFC 8689). */
function tlsRequirementFailure(failure: Failure): Failure {
  if (failure.status === '4.4.2') return failure
  return { ...failure, ...rejected('5.7.30', `REQUIRETLS is not possible: ${failure.diagnostic}`) }
}
