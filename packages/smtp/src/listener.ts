// An SMTP listener on smtp-server, with promises for decisions and a drain that cuts no session before its reply.
import type { Server as NetServer } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { CertificateSource } from '@sekimori/runtime/certificates'
import type { Log } from '@sekimori/runtime/log'
import { refusedCommands, sessions } from '@sekimori/runtime/metrics'
import type {
  SMTPServer,
  SMTPServerAddress,
  SMTPServerAuthentication,
  SMTPServerDataStream,
  SMTPServerOptions,
  SMTPServerSession,
} from 'smtp-server'
import { teachBearerMechanisms } from './bearer-mechanism.ts'
import { defaultLimits, type SessionLimits } from './limits.ts'
import { expectProxyHeaders } from './proxied-connections.ts'
import { parseProxyNetworks } from './proxy-networks.ts'
import { SmtpReply, TokenRefused, tryAgainLater } from './reply.ts'
import { EdgeServer } from './server.ts'

/** The decisions of an edge. Throwing an SmtpReply refuses; any other error is logged and answered with 451. */
export interface Decisions {
  /** Before a TLS handshake that the connection begins with; such a connection is closed without a word. */
  isFlood?(clientAddress: string): boolean
  /** Before the greeting; an SmtpReply takes its place. */
  connect?(session: SMTPServerSession): Promise<void>
  /** After the end, of refused connections too. */
  closed?(session: SMTPServerSession): void
  authenticate?(auth: SMTPServerAuthentication, session: SMTPServerSession): Promise<object>
  mailFrom(address: SMTPServerAddress, session: SMTPServerSession): Promise<void>
  recipient(address: SMTPServerAddress, session: SMTPServerSession): Promise<void>
  /** Takes the mail; resolves to its queue id when the mail is safe. */
  data(stream: SMTPServerDataStream, session: SMTPServerSession): Promise<string>
}

export interface ListenerOptions {
  host: string
  port: number
  drainTimeoutMs: number
  /** Needed wherever TLS is spoken. */
  certificates?: CertificateSource
  smtp: SMTPServerOptions
  limits?: Partial<SessionLimits>
  /** As in PROXY_PROTOCOL_NETWORKS. */
  proxyNetworks?: string
  /** Whose places count together when the listener is full; default: those of one address. */
  networkOf?: (address: string) => string
}

export interface Listener extends AsyncDisposable {
  port: number
}

const DRAIN_POLL_MS = 50

teachBearerMechanisms()

/** Listens; resolves when connections are taken. Disposing drains. */
export async function listenSmtp(options: ListenerOptions, decisions: Decisions, log: Log): Promise<Listener> {
  const settings: SMTPServerOptions = {
    hideENHANCEDSTATUSCODES: false,
    hideDSN: false,
    hideREQUIRETLS: false,
    disableReverseLookup: true,
    greetingDelay: 0,
    rejectOversized: true,
    noDelay: true,
    closeTimeout: options.drainTimeoutMs,
    ...tlsOptions(options),
    ...options.smtp,
    ...handlers(decisions, log),
  }
  const limits = { ...defaultLimits, ...options.limits }
  const server = new EdgeServer(settings, limits, options.networkOf ?? ((address) => address))
  expectProxyHeaders(server, parseProxyNetworks(options.proxyNetworks ?? ''))
  showCertificates(server, options.certificates)
  server.on('error', (error) => log.debug({ err: error }, 'smtp session failed'))
  countSessions(server, decisions)
  if (decisions.isFlood !== undefined) server.isFlood = decisions.isFlood
  const listening = server.server as NetServer
  await new Promise<void>((resolve, reject) => {
    listening.once('error', reject)
    server.listen(options.port, options.host, () => {
      listening.off('error', reject)
      resolve()
    })
  })
  const address = listening.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    [Symbol.asyncDispose]: () => drain(server, options.drainTimeoutMs),
  }
}

function tlsOptions({ certificates, smtp }: ListenerOptions): SMTPServerOptions {
  // The server chooses by name itself; this says that it has certificates.
  if (certificates !== undefined) return { SNICallback: (_servername, callback) => callback(null) }
  // smtp-server has a certificate of its own, whose key everybody knows; it is never shown.
  if ((smtp.disabledCommands?.includes('STARTTLS') && !smtp.secure) || smtp.cert !== undefined) return {}
  throw new Error('a listener that speaks TLS needs certificates')
}

function showCertificates(server: EdgeServer, certificates: CertificateSource | undefined): void {
  server.certificates = certificates
  const show = () => void (certificates && server.secureContext.set('*', certificates.contextFor()))
  certificates?.onChange(show)
  show()
}

function handlers(decisions: Decisions, log: Log): Partial<SMTPServerOptions> {
  const refusal = (error: unknown, session: SMTPServerSession) => {
    const reply = error instanceof SmtpReply ? error : tryAgainLater(error)
    refusedCommands.inc({ code: String(reply.responseCode) })
    const facts = {
      session: session.id,
      client: session.remoteAddress,
      code: reply.responseCode,
      status: reply.enhancedCode,
    }
    if (reply.cause !== undefined) log.warn({ ...facts, err: reply.cause }, 'smtp refused')
    else log.info(facts, 'smtp refused')
    return reply
  }
  const { authenticate, connect } = decisions
  return {
    ...(authenticate === undefined
      ? {}
      : {
          onAuth: (auth, session, callback) => {
            authenticate(auth, session).then(
              (user) => callback(null, { user }),
              (error) => {
                const reply = refusal(error, session)
                if (reply instanceof TokenRefused) callback(null, { data: reply.data })
                else callback(reply)
              },
            )
          },
        }),
    ...(connect === undefined
      ? {}
      : {
          onConnect: (session, callback) => {
            connect(session).then(
              () => callback(),
              (error) => callback(refusal(error, session)),
            )
          },
        }),
    onMailFrom: (address, session, callback) => {
      decisions.mailFrom(address, session).then(
        () => callback(),
        (error) => callback(refusal(error, session)),
      )
    },
    onRcptTo: (address, session, callback) => {
      decisions.recipient(address, session).then(
        () => callback(),
        (error) => callback(refusal(error, session)),
      )
    },
    onData: (stream, session, callback) => {
      decisions.data(stream, session).then(
        (queueId) => callback(null, `Ok: queued as ${queueId}`),
        (error) => callback(refusal(error, session)),
      )
    },
  }
}

/** A connection that is refused before its greeting never was a session. */
function countSessions(server: SMTPServer, decisions: Decisions): void {
  const open = new Set<string>()
  server.on('connect', ({ id }) => {
    open.add(id)
    sessions.inc()
  })
  server.onClose = (session) => {
    if (open.delete(session.id)) sessions.dec()
    decisions.closed?.(session)
  }
}

/** What the drain looks at in smtp-server's connections. */
interface OpenConnection {
  session: SMTPServerSession
  send(code: number, text: string, status: string): void
}

/** Takes no new sessions, ends idle ones with 421, and lets a transaction in hand come to its reply. */
async function drain(server: SMTPServer, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs
  const closed = new Promise<void>((resolve) => server.close(() => resolve()))
  const connections = server.connections as unknown as Set<OpenConnection>
  while (connections.size > 0 && Date.now() < deadline) {
    for (const connection of connections) {
      if (!connection.session.envelope.mailFrom)
        connection.send(421, 'Service is restarting, please come again', '4.3.2')
    }
    await wait(DRAIN_POLL_MS)
  }
  await closed
}
