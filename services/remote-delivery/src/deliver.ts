// One attempt to bring a mail to a destination: over a session that is open already, or by its servers in their order,
// until one takes the dialogue up.
import type { Recipient } from '@sekimori/mail/job'
import type { Destination } from './destination.ts'
import { domainsOf } from './destinations.ts'
import { type OpenServerPorts, openServer } from './open-server.ts'
import type { OutboundMail } from './outbound-mail.ts'
import { decisiveFailure, type Failure, type Outcome } from './outcome.ts'
import type { Route } from './route.ts'
import type { Session } from './session.ts'
import type { SessionPool } from './session-pool.ts'
import type { Target } from './tls-note.ts'

export interface DeliverPorts extends OpenServerPorts {
  pool: SessionPool
}

const SERVERS_MOST = 10

/** Resolves to what became of each recipient. @throws what reading the content throws, when nobody was sent anything. */
export async function deliver(
  mail: OutboundMail,
  destination: Destination,
  ports: DeliverPorts,
  signal: AbortSignal,
): Promise<Map<string, Outcome>> {
  const { name, recipients } = destination
  const route = destination.route ?? (await ports.exchangers.route(name))
  if (route.kind !== 'route') return everyone(recipients, route)
  const key = sessionKey(mail, destination, route)
  const { tls: stance = { floor: 'opportunistic' } } = destination
  const target: Target = { route, stance, domains: domainsOf(destination) }
  const kept = ports.pool.take(key)
  if (kept !== undefined) {
    const outcomes = await sendAndKeep(kept, key, mail, recipients, ports, signal)
    if (!isUnusedAfterAll(kept, outcomes)) {
      target.domains.forEach(kept.countsFor)
      return outcomes
    }
  }
  const opened = await openFirst(mail, target, ports, signal)
  if (opened.kind === 'failed') return everyone(recipients, opened.failure)
  target.domains.forEach(opened.session.countsFor)
  return sendAndKeep(opened.session, key, mail, recipients, ports, signal)
}

/** What a session was opened for: other mail may demand more of the server. */
function sessionKey({ envelope, isTlsOptional }: OutboundMail, { tls }: Destination, { key }: Route): string {
  return [envelope.requireTls === true, isTlsOptional, tls?.floor, tls?.sts?.mode, tls?.sts?.id, key].join(' ')
}

async function sendAndKeep(
  session: Session,
  key: string,
  mail: OutboundMail,
  recipients: Recipient[],
  { pool }: DeliverPorts,
  signal: AbortSignal,
): Promise<Map<string, Outcome>> {
  try {
    return await session.send(mail, recipients, signal)
  } finally {
    pool.give(key, session)
  }
}

/** A server may end a session while nothing is said, or say so only when the next mail comes: that says nothing of the mail. */
function isUnusedAfterAll(session: Session, outcomes: Map<string, Outcome>): boolean {
  if (session.mayHaveTaken) return false
  return (
    session.isLost || outcomes.values().every((outcome) => outcome.kind !== 'sent' && /^421\b/.test(outcome.diagnostic))
  )
}

async function openFirst(
  mail: OutboundMail,
  target: Target,
  ports: DeliverPorts,
  signal: AbortSignal,
): Promise<{ kind: 'open'; session: Session } | { kind: 'failed'; failure: Failure }> {
  const failures: Failure[] = []
  let tried = 0
  for await (const server of ports.exchangers.servers(target.route)) {
    if (server.kind !== 'server') failures.push(server)
    else {
      const opened = await openServer(server, target, mail, ports, signal)
      if (opened.kind === 'open') return opened
      failures.push(opened.failure)
      if (++tried === SERVERS_MOST || signal.aborted) break
    }
  }
  return { kind: 'failed', failure: decisiveFailure(failures as [Failure, ...Failure[]]) }
}

function everyone(recipients: Recipient[], failure: Failure): Map<string, Outcome> {
  return new Map(recipients.map(({ address }) => [address, failure]))
}
