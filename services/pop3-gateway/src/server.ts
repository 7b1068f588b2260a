// The listeners of 110 (STLS) and 995 (TLS from the first octet), their sessions, and an orderly end of both.
import { randomUUID } from 'node:crypto'
import { createServer, type Server, type Socket } from 'node:net'
import { takeHeader } from '@sekimori/smtp/proxied-connections'
import type { IsBalancer } from '@sekimori/smtp/proxy-networks'
import { Connection, ConnectionClosed, type ConnectionTimes } from './connection.ts'
import { Conversation, type SessionLog, type SessionSettings } from './conversation.ts'
import { DEFAULT_LANGUAGE } from './language.ts'
import type { Ports } from './ports.ts'
import { err } from './reply.ts'
import { serve } from './session.ts'
import { texts } from './texts.ts'

/** How long a client may be silent while the process waits for its sessions to end. */
const DRAIN_SILENCE_MS = 1_000
const BACKLOG = 1_024
const HEADER_TIMEOUT_MS = 10_000

export interface ServerSettings extends SessionSettings, ConnectionTimes {
  host: string
  /** The port that begins in plain text; 0 lets the system choose. */
  pop3Port: number
  /** The port of implicit TLS (RFC 8314 section 3.1). */
  pop3sPort: number
  maxSessions: number
  /** Whose connections begin with a PROXY header. */
  isBalancer: IsBalancer
  /** How long disposing waits for the sessions before it cuts them. */
  drainTimeoutMs: number
}

/** Told of each session that begins or ends. */
export interface SessionCount {
  set(sessions: number): void
}

/** A listening server; disposing it takes no new session and waits for the ones it has. */
export class Pop3Server implements AsyncDisposable {
  readonly #settings: ServerSettings
  readonly #ports: Ports
  readonly #log: SessionLog
  readonly #count: SessionCount
  /** The oldest first. */
  readonly #sessions = new Map<Conversation, Promise<void>>()
  readonly #listeners: Server[] = []

  constructor(settings: ServerSettings, ports: Ports, log: SessionLog, count: SessionCount = { set: () => {} }) {
    this.#settings = settings
    this.#ports = ports
    this.#log = log
    this.#count = count
  }

  /** Listens on both ports. */
  async listen(): Promise<{ pop3Port: number; pop3sPort: number }> {
    const { pop3Port, pop3sPort } = this.#settings
    return { pop3Port: await this.#listenOn(pop3Port, false), pop3sPort: await this.#listenOn(pop3sPort, true) }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const listener of this.#listeners) listener.close()
    for (const { connection } of this.#sessions.keys()) connection.hurry(DRAIN_SILENCE_MS)
    const cut = setTimeout(() => {
      for (const { connection } of this.#sessions.keys()) connection.destroy()
    }, this.#settings.drainTimeoutMs)
    await Promise.all(this.#sessions.values())
    clearTimeout(cut)
  }

  async #listenOn(port: number, isTls: boolean): Promise<number> {
    const listener = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#begin(socket, isTls))
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject).listen({ port, host: this.#settings.host, backlog: BACKLOG }, resolve)
    })
    this.#listeners.push(listener)
    return (listener.address() as { port: number }).port
  }

  #begin(socket: Socket, isTls: boolean): void {
    if (this.#settings.isBalancer(socket.remoteAddress)) this.#beginProxied(socket, isTls)
    else this.#admit(socket, isTls, socket.remoteAddress ?? '')
  }

  /** A balancer sends its header at once; it counts as a session from then on. */
  #beginProxied(socket: Socket, isTls: boolean): void {
    const giveUp = () => {
      clearTimeout(timer)
      socket.destroy()
    }
    const timer = setTimeout(giveUp, HEADER_TIMEOUT_MS)
    socket.on('error', giveUp)
    takeHeader(socket).then(({ source }) => {
      clearTimeout(timer)
      socket.off('error', giveUp)
      this.#admit(socket, isTls, source?.address ?? socket.remoteAddress ?? '')
    }, giveUp)
  }

  /** A refused connection counts as one of its address, but never as a session. */
  #admit(socket: Socket, isTls: boolean, clientAddress: string): void {
    const id = randomUUID()
    const refusal = this.#ports.admission.admit(id, clientAddress)
    if (refusal !== undefined) turnAway(socket, isTls, refusal)
    else if (this.#hasRoom()) this.#serve(new Connection(socket, this.#settings, clientAddress), isTls, id)
    else {
      this.#ports.admission.leave(id)
      turnAway(socket, isTls, texts.full)
    }
  }

  /** Whether one more session may begin; where it must, at the cost of the oldest that is silent and has not logged in. */
  #hasRoom(): boolean {
    if (this.#sessions.size < this.#settings.maxSessions) return true
    for (const { connection, language } of this.#sessions.keys()) {
      if (!connection.isIdleStranger) continue
      connection.dismiss(err(texts.shed, 'SYS/TEMP')(language))
      return true
    }
    return false
  }

  #serve(connection: Connection, isTls: boolean, id: string): void {
    const conversation = new Conversation(connection, this.#settings, this.#log, this.#ports.tokens !== undefined)
    const session = this.#run(conversation, isTls).finally(() => {
      this.#ports.admission.leave(id)
      this.#sessions.delete(conversation)
      this.#count.set(this.#sessions.size)
    })
    this.#sessions.set(conversation, session)
    this.#count.set(this.#sessions.size)
  }

  async #run(conversation: Conversation, isTls: boolean): Promise<void> {
    const { connection } = conversation
    const start = performance.now()
    try {
      if (isTls) await connection.startTls(this.#settings.secureContext)
      const report = await serve(conversation, this.#ports)
      const isSecure = connection.isSecure
      await connection.end()
      const ms = Math.round(performance.now() - start)
      this.#log.info({ ...report, clientAddress: connection.clientAddress, tls: isSecure, ms }, 'session ended')
    } catch (error) {
      connection.destroy()
      if (!(error instanceof ConnectionClosed)) this.#log.error({ err: error }, 'connection failed')
    }
  }
}

/** Says why in plain text; inside TLS that would cost a handshake. */
function turnAway(socket: Socket, isTls: boolean, why: string): void {
  socket.on('error', () => socket.destroy())
  if (isTls) socket.destroy()
  else socket.end(err(why, 'SYS/TEMP')(DEFAULT_LANGUAGE), () => socket.destroy())
}
