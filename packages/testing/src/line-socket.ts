// A TCP or TLS connection read line by line, for the dialers and the remote server. Every wait has a deadline, and
// says what it waited for when it fails.
import { once } from 'node:events'
import net from 'node:net'
import tls from 'node:tls'
import { ByteQueue } from './byte-queue.ts'
import { settled } from './deadline.ts'
import { dotUnstuff } from './dot-stuffing.ts'

export interface Endpoint {
  host: string
  port: number
}

export interface DialOptions {
  /** Address to connect from; default: what the system chooses. */
  localAddress?: string
  /** PROXY header (version 1, with its CRLF) that the connection begins with, before TLS. */
  proxyHeader?: string
  /** TLS from the first byte. */
  tls?: 'implicit'
  /** PEM certificate that the server's must lead to; without it the server's certificate is not checked. */
  ca?: string | Buffer
  /** Name to ask and check the certificate for, when it is not the host. */
  servername?: string
  /** Longest wait for a reply; default 60,000. */
  timeoutMs?: number
}

/** The peer closed the connection, or it broke. */
export class ConnectionClosed extends Error {
  override name = 'ConnectionClosed'
}

/** Connects, with TLS from the start if so asked. */
export async function connect(endpoint: Endpoint, options: DialOptions = {}): Promise<LineSocket> {
  const timeoutMs = options.timeoutMs ?? 60_000
  const { host, port } = endpoint
  const { localAddress, proxyHeader } = options
  const socket = net.connect({ host, port, noDelay: true, ...(localAddress === undefined ? {} : { localAddress }) })
  await settled(once(socket, 'connect'), timeoutMs, `a connection to ${host}:${port}`, socket)
  if (proxyHeader !== undefined) socket.write(proxyHeader)
  const lines = new LineSocket(socket, timeoutMs)
  if (options.tls === 'implicit') await lines.startTls(options.servername ?? host, options.ca)
  return lines
}

export class LineSocket {
  #socket: net.Socket
  readonly #timeoutMs: number
  readonly #received = new ByteQueue()
  #ending: Error | undefined
  #wake: () => void = () => {}
  readonly #onData = (chunk: Buffer) => {
    this.#received.append(chunk)
    this.#wake()
  }
  readonly #onEnd = (cause?: unknown) => {
    const message = cause instanceof Error ? cause.message : 'the connection is closed'
    this.#ending ??= new ConnectionClosed(message, { cause })
    this.#wake()
  }

  constructor(socket: net.Socket, timeoutMs: number) {
    this.#socket = socket
    this.#timeoutMs = timeoutMs
    this.#listen(socket)
  }

  get isEncrypted(): boolean {
    return this.#socket instanceof tls.TLSSocket
  }

  /** Sends bytes (a string as UTF-8); resolves when the system has taken them all. */
  async write(data: string | Buffer): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#socket.write(data, (error) =>
      error ? reject(new ConnectionClosed(error.message, { cause: error })) : resolve(),
    )
    await settled(promise, this.#timeoutMs, 'the peer to take what was sent', this.#socket)
  }

  /** Reads one line, without its CRLF. `awaited` names it in a failure. */
  async readLine(awaited = 'a line'): Promise<string> {
    return (await this.#readThrough('\r\n', awaited)).toString('utf8').slice(0, -2)
  }

  /** Reads lines up to the one that is a single dot; gives them without it and un-dot-stuffed, byte for byte. */
  async readDotted(awaited = 'lines and a dot'): Promise<Buffer> {
    const deadline = Date.now() + this.#timeoutMs
    while (this.#received.size < 3) await this.#more(deadline, awaited)
    if (this.#received.indexOf('.\r\n') === 0) {
      this.#received.take(3)
      return Buffer.alloc(0)
    }
    return dotUnstuff((await this.#readThrough('\r\n.\r\n', awaited)).subarray(0, -3))
  }

  /** Resolves when the peer has closed; fails when it sends something instead. */
  async readEnd(): Promise<void> {
    const deadline = Date.now() + this.#timeoutMs
    while (this.#ending === undefined && this.#received.size === 0) await this.#more(deadline, 'the end', false)
    if (this.#received.size > 0) throw new Error(`expected the connection to end, got "${this.#received.preview()}"`)
  }

  /** Becomes the client's side of TLS. */
  async startTls(servername: string, ca?: string | Buffer): Promise<void> {
    const name = net.isIP(servername) === 0 ? { servername } : {}
    const plain = this.#detach()
    const host = servername
    await this.#encrypt(
      tls.connect({ socket: plain, host, ...name, ca, rejectUnauthorized: ca !== undefined }),
      'secureConnect',
    )
  }

  /** Becomes the server's side of TLS. */
  async acceptTls(certificate: { cert: string; key: string }): Promise<void> {
    await this.#encrypt(new tls.TLSSocket(this.#detach(), { isServer: true, ...certificate }), 'secure')
  }

  /** Lets what was written arrive, then ends the connection; a peer that does not end its side has a second. */
  async end(): Promise<void> {
    this.#socket.end()
    const timer = setTimeout(() => this.#socket.destroy(), 1000)
    await this.#closed()
    clearTimeout(timer)
  }

  /** Ends the connection without a word. */
  async close(): Promise<void> {
    this.#socket.destroy()
    await this.#closed()
  }

  async #closed(): Promise<void> {
    if (!this.#socket.closed) await new Promise((resolve) => this.#socket.once('close', resolve))
  }

  #detach(): net.Socket {
    if (this.#received.size > 0) throw new Error(`bytes came before TLS: "${this.#received.preview()}"`)
    return this.#socket.off('data', this.#onData).off('end', this.#onEnd).off('close', this.#onEnd)
  }

  async #encrypt(socket: tls.TLSSocket, event: string): Promise<void> {
    this.#socket = socket
    this.#listen(socket)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const fail = (cause?: unknown) =>
      reject(new Error(`the TLS handshake failed: ${cause instanceof Error ? cause.message : 'cut off'}`, { cause }))
    socket.once(event, () => resolve())
    socket.once('error', fail).once('close', fail)
    await settled(promise, this.#timeoutMs, 'the TLS handshake', socket)
  }

  #listen(socket: net.Socket): void {
    socket.on('data', this.#onData).on('end', this.#onEnd).on('close', this.#onEnd).on('error', this.#onEnd)
  }

  async #readThrough(marker: string, awaited: string): Promise<Buffer> {
    const deadline = Date.now() + this.#timeoutMs
    let scanned = 0
    for (;;) {
      const at = this.#received.indexOf(marker, Math.max(0, scanned - marker.length + 1))
      if (at >= 0) return this.#received.take(at + marker.length)
      scanned = this.#received.size
      while (this.#received.size === scanned) await this.#more(deadline, awaited)
    }
  }

  async #more(deadline: number, awaited: string, mustGoOn = true): Promise<void> {
    const sofar = () => (this.#received.size > 0 ? `; so far came "${this.#received.preview()}"` : '')
    if (this.#ending !== undefined && mustGoOn)
      throw new ConnectionClosed(`${this.#ending.message} while waiting for ${awaited}${sofar()}`, {
        cause: this.#ending,
      })
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    await settled(woken, deadline - Date.now(), `${awaited}${sofar()}`, this.#socket)
  }
}
