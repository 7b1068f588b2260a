// One client's socket: lines in, octets out with backpressure, the switch to TLS, and every wait bounded.
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { ContextFor } from '@sekimori/runtime/certificates'
import { type Line, LineBuffer } from './line-buffer.ts'

/** Longest line of a client, needed for a SASL answer with a token in it. */
const LINE_MAX_OCTETS = 12_288
const CLOSE_TIMEOUT_MS = 5_000

/** The client is gone, or was cut off; the session ends without a word. */
export class ConnectionClosed extends Error {
  override name = 'ConnectionClosed'
}

/** How long a client may take. */
export interface ConnectionTimes {
  /** To send a whole line, or to take in what it was sent. */
  idleTimeoutMs: number
  handshakeTimeoutMs: number
  /** From the beginning of the connection until it has logged in. */
  loginTimeoutMs: number
}

/** Not for concurrent use: one line is awaited or one reply written at a time. `destroy` and `hurry` may come at any time. */
export class Connection {
  readonly clientAddress: string
  readonly #stallTimeoutMs: number
  readonly #handshakeTimeoutMs: number
  readonly #lines = new LineBuffer(LINE_MAX_OCTETS)
  readonly #onEvent = () => this.#wake()
  #socket: Socket
  #patienceMs: number
  /** When the client must have logged in; never, once it has. */
  #loginDeadlineMs: number
  #isWaiting = false
  #isNegotiated = false
  #isDismissed = false
  #isCorked = false
  #wake: () => void = () => {}

  /** @param clientAddress as a load balancer of ours says it */
  constructor(socket: Socket, times: ConnectionTimes, clientAddress = socket.remoteAddress ?? '') {
    this.clientAddress = clientAddress
    this.#stallTimeoutMs = times.idleTimeoutMs
    this.#patienceMs = times.idleTimeoutMs
    this.#handshakeTimeoutMs = times.handshakeTimeoutMs
    this.#loginDeadlineMs = performance.now() + times.loginTimeoutMs
    this.#socket = socket
    socket.setNoDelay(true)
    this.#listen(socket)
  }

  get isSecure(): boolean {
    return this.#socket instanceof TLSSocket
  }

  /** Nobody knows yet who it is, and the server waits for it. */
  get isIdleStranger(): boolean {
    return this.#isWaiting && !this.#isDismissed && this.#loginDeadlineMs !== Number.POSITIVE_INFINITY
  }

  /** The client has logged in: from now on only silence ends the connection. */
  trust(): void {
    this.#loginDeadlineMs = Number.POSITIVE_INFINITY
  }

  /** The next line; undefined when the client has left or was silent for too long. */
  async readLine(): Promise<Line | undefined> {
    let line: Line | undefined
    await this.#until(
      () => {
        line = this.#takeLine()
        return line !== undefined || this.#socket.readableEnded || this.#socket.destroyed
      },
      () => this.#patienceMs,
    )
    return line
  }

  /** Sends octets; resolves when there is room for more. Replies of one turn of the event loop share a packet. */
  async write(octets: Buffer | string): Promise<void> {
    const socket = this.#socket
    if (!socket.writable) throw new ConnectionClosed('the client has left')
    this.#corkForThisTurn()
    if (socket.write(octets)) return
    await this.#until(
      () => !socket.writableNeedDrain || !socket.writable,
      () => this.#stallTimeoutMs,
    )
    if (!socket.writable) throw new ConnectionClosed('the client has left or takes nothing in')
  }

  /**
   * Sends `reply`, if any, and negotiates TLS as the server. What the client sent ahead of the reply is dropped:
   * it came without protection and must not count as said inside TLS (RFC 2595 section 4, RFC 8314 section 3).
   */
  async startTls(contextFor: ContextFor, reply?: string): Promise<void> {
    const plain = this.#socket
    if (plain.destroyed) throw new ConnectionClosed('the client has left')
    if (reply !== undefined) {
      while (plain.read() !== null);
      this.#lines.clear()
      await new Promise<void>((resolve) => plain.write(reply, () => resolve()))
    }
    // Who sends no more sends no ClientHello either.
    if (plain.destroyed || plain.readableEnded) throw new ConnectionClosed('the client has left')
    plain.off('readable', this.#onEvent).off('end', this.#onEvent)
    const secure: TLSSocket = new TLSSocket(plain, {
      isServer: true,
      secureContext: contextFor(),
      SNICallback: (servername, callback) => callback(null, contextFor(servername, secure)),
      requestCert: false,
    })
    secure.once('secure', () => {
      this.#isNegotiated = true
      this.#wake()
    })
    this.#socket = secure
    this.#listen(secure)
    await this.#until(
      () => {
        // Takes nothing, but lets the end of the connection be noticed.
        if (!this.#isNegotiated) secure.read(0)
        return this.#isNegotiated || secure.readableEnded || secure.destroyed
      },
      () => this.#handshakeTimeoutMs,
    )
    if (!this.#isNegotiated || secure.destroyed) throw new ConnectionClosed('no TLS session came about')
  }

  /** From now on a client may be silent for no longer than this: the process wants to stop. */
  hurry(silenceMs: number): void {
    this.#patienceMs = Math.min(this.#patienceMs, silenceMs)
    this.#wake()
  }

  /** Sends what is still to be sent, then closes. */
  async end(): Promise<void> {
    const socket = this.#socket
    if (!socket.destroyed) socket.end()
    await this.#until(
      () => {
        while (socket.read() !== null);
        return socket.destroyed
      },
      () => CLOSE_TIMEOUT_MS,
    )
  }

  /** Cuts off a client that the server waits for, with a last word if it can hear one; waits for nothing. */
  dismiss(reply: string): void {
    this.#isDismissed = true
    const socket = this.#socket
    const isNegotiating = socket instanceof TLSSocket && !this.#isNegotiated
    if (isNegotiating || !socket.writable || socket.writableLength > 0) socket.destroy()
    else socket.end(reply, () => socket.destroy())
  }

  /** Cuts the client off. */
  destroy(): void {
    this.#socket.destroy()
  }

  #listen(socket: Socket): void {
    for (const event of ['readable', 'end', 'drain', 'close']) socket.on(event, this.#onEvent)
    // A reset or a broken TLS record is a client that has left: 'close' follows and ends the wait.
    socket.on('error', () => socket.destroy())
  }

  #takeLine(): Line | undefined {
    for (;;) {
      const line = this.#lines.next()
      if (line !== undefined) return line
      const octets: Buffer | null = this.#socket.read()
      if (octets === null) return undefined
      this.#lines.push(octets)
    }
  }

  /** Waits for a condition that an event of the socket brings about; past the time the client is cut off. */
  async #until(isTrue: () => boolean, timeoutMs: () => number): Promise<void> {
    const start = performance.now()
    while (!isTrue()) {
      const leftMs = Math.min(start + timeoutMs(), this.#loginDeadlineMs) - performance.now()
      if (leftMs <= 0) {
        this.destroy()
        return
      }
      await this.#nextEvent(leftMs)
    }
  }

  async #nextEvent(timeoutMs: number): Promise<void> {
    this.#isWaiting = true
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = () => {}
    this.#isWaiting = false
  }

  #corkForThisTurn(): void {
    if (this.#isCorked) return
    this.#isCorked = true
    const socket = this.#socket
    socket.cork()
    process.nextTick(() => {
      this.#isCorked = false
      socket.uncork()
    })
  }
}
