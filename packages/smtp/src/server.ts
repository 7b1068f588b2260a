// smtp-server with sessions of our own, whose times and counts are bounded; when all places are taken, one that is held for
// nothing is given to whoever comes (shedding.ts).
import type { Socket } from 'node:net'
import type { SecureContext, TLSSocket } from 'node:tls'
import type { CertificateSource } from '@sekimori/runtime/certificates'
import { limitRefusals } from '@sekimori/runtime/metrics'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import { EdgeConnection } from './connection.ts'
import type { SessionLimits } from './limits.ts'
import { plainAddress } from './proxy-header.ts'
import { type Holder, whoGivesWay } from './shedding.ts'

export class EdgeServer extends SMTPServer {
  readonly limits: SessionLimits
  certificates: CertificateSource | undefined
  isFlood: (clientAddress: string) => boolean = () => false
  readonly #networkOf: (address: string) => string
  readonly #sweep: NodeJS.Timeout
  /** Connections before their session. */
  readonly #arrivals = new Map<Socket, { address: string; network: string; since: number }>()

  constructor(options: SMTPServerOptions, limits: SessionLimits, networkOf: (address: string) => string) {
    super({ keepAlive: true, keepAliveInitialDelay: 60_000, socketTimeout: limits.commandTimeoutMs, ...options })
    this.limits = limits
    this.#networkOf = networkOf
    const shortestMs = Math.min(limits.commandTimeoutMs, limits.handshakeTimeoutMs, limits.sessionTimeoutMs)
    this.#sweep = setInterval(() => this.#checkDeadlines(), Math.min(1_000, Math.ceil(shortestMs / 4))).unref()
    this.on('close', () => clearInterval(this.#sweep))
  }

  /** The base class would give a name without certificates of its own the first ones again, of which Node takes one. */
  override _resolveSNI(
    servername: string,
    callback: (error: Error | null, context?: SecureContext) => void,
    client?: TLSSocket,
  ): void {
    callback(null, client && this.certificates?.contextFor(servername, client))
  }

  /** As in the base class, with our own session. */
  override connect(socket: Socket, options?: SMTPConnectionOptions | null): void {
    const connection = new EdgeConnection(this, socket, options)
    connection.network = this.#networkOf(plainAddress(connection.remoteAddress))
    if (this.connections.size >= this.#mostClients) this.#shedSession()
    this.connections.add(connection)
    connection.on('error', (error) => this._onError(error))
    connection.on('connect', (facts) => this._onClientConnect(facts))
    connection.init()
  }

  /** A handshake has a limit as a whole, however busy the client keeps it. */
  override _acceptSocket(socket: Socket, isHandshake: boolean): (() => void) | false {
    if (this._pendingSockets.size >= this.#mostClients) this.#shedArrival()
    const release = super._acceptSocket(socket, isHandshake)
    if (release === false) return false
    const timer = setTimeout(() => this._pendingSockets.get(socket)?.destroy(), this.limits.handshakeTimeoutMs).unref()
    if (this._pendingSockets.has(socket)) {
      this.#arrivals.set(socket, { address: '', network: '', since: performance.now() })
      this.noteClient(socket, socket.remoteAddress ?? '')
    }
    const end = () => {
      clearTimeout(timer)
      this.#arrivals.delete(socket)
    }
    socket.once('close', end)
    return () => {
      end()
      release()
    }
  }

  /** Whose connection it is, as soon as that is known. */
  noteClient(socket: Socket, address: string): void {
    const arrival = this.#arrivals.get(socket)
    if (arrival === undefined) return
    arrival.address = plainAddress(address)
    arrival.network = this.#networkOf(arrival.address)
  }

  /** The handshake is what a flood of connections costs. */
  override _upgrade(socket: Socket, callback: Parameters<SMTPServer['_upgrade']>[1]): void {
    const address = this.#arrivals.get(socket)?.address
    if (address !== undefined && this.isFlood(address)) {
      limitRefusals.inc({ limit: 'flood' })
      callback(new Error('too many connections come from there'))
    } else super._upgrade(socket, callback)
  }

  get #mostClients(): number {
    return this.options.maxClients ?? Number.POSITIVE_INFINITY
  }

  /** Not even a reply can be sent before the handshake. */
  #shedArrival(): void {
    const now = performance.now()
    const holders = this.#arrivals.entries().map(([socket, { network, since }]) => {
      return { network, idleMs: now - since, socket }
    })
    const victim = whoGivesWay(holders, 0)?.socket
    if (victim === undefined) return
    limitRefusals.inc({ limit: 'shed-handshakes' })
    const top = this._pendingSockets.get(victim)
    this._pendingSockets.delete(victim)
    this.#arrivals.delete(victim)
    top?.destroy()
  }

  #shedSession(): void {
    const victim = whoGivesWay(this.#idleSessions(Date.now()), this.limits.shedAfterMs)?.connection
    if (victim === undefined) return
    limitRefusals.inc({ limit: 'shed-sessions' })
    victim.giveWay()
  }

  *#idleSessions(now: number): Iterable<Holder & { connection: EdgeConnection }> {
    for (const connection of this.connections as Set<unknown> as Set<EdgeConnection>) {
      const idleMs = connection.idleMs(now)
      if (idleMs !== undefined) yield { network: connection.network, idleMs, connection }
    }
  }

  #checkDeadlines(): void {
    const now = Date.now()
    for (const connection of this.connections) (connection as EdgeConnection).checkDeadlines(now)
  }
}
