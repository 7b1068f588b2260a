// smtp-server with sessions of our own, whose times and counts are bounded.
import type { Socket } from 'node:net'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import type { SMTPConnectionOptions } from 'smtp-server/lib/smtp-connection.js'
import { EdgeConnection } from './connection.ts'
import type { SessionLimits } from './limits.ts'

export class EdgeServer extends SMTPServer {
  readonly limits: SessionLimits
  readonly #sweep: NodeJS.Timeout

  constructor(options: SMTPServerOptions, limits: SessionLimits) {
    super({ keepAlive: true, keepAliveInitialDelay: 60_000, socketTimeout: limits.commandTimeoutMs, ...options })
    this.limits = limits
    const shortestMs = Math.min(limits.commandTimeoutMs, limits.handshakeTimeoutMs, limits.sessionTimeoutMs)
    this.#sweep = setInterval(() => this.#checkDeadlines(), Math.min(1_000, Math.ceil(shortestMs / 4))).unref()
    this.on('close', () => clearInterval(this.#sweep))
  }

  /** As in the base class, with our own session. */
  override connect(socket: Socket, options?: SMTPConnectionOptions | null): void {
    const connection = new EdgeConnection(this, socket, options)
    this.connections.add(connection)
    connection.on('error', (error) => this._onError(error))
    connection.on('connect', (facts) => this._onClientConnect(facts))
    connection.init()
  }

  /** A handshake has a limit as a whole, however busy the client keeps it. */
  override _acceptSocket(socket: Socket, isHandshake: boolean): (() => void) | false {
    const release = super._acceptSocket(socket, isHandshake)
    if (release === false) return false
    const timer = setTimeout(() => this._pendingSockets.get(socket)?.destroy(), this.limits.handshakeTimeoutMs).unref()
    socket.once('close', () => clearTimeout(timer))
    return () => {
      clearTimeout(timer)
      release()
    }
  }

  #checkDeadlines(): void {
    const now = Date.now()
    for (const connection of this.connections) (connection as EdgeConnection).checkDeadlines(now)
  }
}
