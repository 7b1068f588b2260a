// A POP3 client for tests: sends what it is told to, octet by octet, and waits for replies with a deadline.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

const DEADLINE_MS = 60_000
const PAUSE_EVERY_OCTETS = 5_000_000
const PAUSE_MS = 20

/** Nothing came in time, or the server closed the connection first. */
export class NoReply extends Error {
  override name = 'NoReply'
}

export class WireClient implements AsyncDisposable {
  socket: Socket
  /** The TCP connection, which is not `socket` where that is TLS. */
  transport: Socket
  #received: Buffer = Buffer.alloc(0)
  #isClosed = false
  #wake: () => void = () => {}

  constructor(socket: Socket, transport = socket) {
    this.socket = socket
    this.transport = transport
    this.#listen(socket)
  }

  /** Connects and reads the greeting. */
  static async dial(port: number): Promise<WireClient> {
    const client = new WireClient(connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true }))
    await client.line()
    return client
  }

  static async dialTls(port: number): Promise<WireClient> {
    const transport = connect({ port, host: '127.0.0.1', noDelay: true })
    const socket = connectTls({ socket: transport, rejectUnauthorized: false })
    const client = new WireClient(socket, transport)
    await once(socket, 'secureConnect')
    await client.line()
    return client
  }

  /** Connects over TLS and logs in. */
  static async login(pop3sPort: number, name = 'bob@example.test', password = 'secret'): Promise<WireClient> {
    const client = await WireClient.dialTls(pop3sPort)
    await client.say(`USER ${name}`)
    const reply = await client.say(`PASS ${password}`)
    if (reply.startsWith('+OK')) return client
    client.socket.destroy()
    throw new Error(reply)
  }

  send(octets: string | Buffer): void {
    this.socket.write(octets)
  }

  /** Sends a command and returns the first line of the reply. */
  async say(command: string): Promise<string> {
    this.send(`${command}\r\n`)
    return this.line()
  }

  /** Sends a command and returns a multi-line reply, unstuffed by nobody: the lines as they came, without the end. */
  async sayMulti(command: string): Promise<string[]> {
    const first = await this.say(command)
    if (!first.startsWith('+OK')) throw new Error(first)
    const lines: string[] = []
    for (let line = await this.line(); line !== '.'; line = await this.line()) lines.push(line)
    return lines
  }

  /** The next line, which must end with CRLF. */
  async line(): Promise<string> {
    const text = (await this.until('\n')).toString('latin1')
    if (!text.endsWith('\r\n')) throw new Error(`no CRLF: ${JSON.stringify(text)}`)
    return text.slice(0, -2)
  }

  /** The octets up to and including `end`. */
  async until(end: string): Promise<Buffer> {
    await this.#wait(() => this.#received.includes(end))
    const octets = this.#received.subarray(0, this.#received.indexOf(end) + Buffer.byteLength(end))
    this.#received = this.#received.subarray(octets.length)
    return octets
  }

  /** How many octets come up to the end of a multi-line reply, which is not kept; slowly: with a pause now and then. */
  async countUntilEnd(isSlow = false): Promise<number> {
    let [octets, tail, pauses] = [0, Buffer.alloc(0), 0]
    for (;;) {
      await this.#wait(() => this.#received.length > 0)
      octets += this.#received.length
      tail = Buffer.concat([tail, this.#received]).subarray(-5)
      this.#received = Buffer.alloc(0)
      if (tail.toString('latin1') === '\r\n.\r\n') return octets
      if (!isSlow || octets < ++pauses * PAUSE_EVERY_OCTETS) continue
      this.socket.pause()
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
      this.socket.resume()
    }
  }

  /** What the server sent up to its closing the connection. */
  async rest(): Promise<string> {
    await this.#wait(() => this.#isClosed)
    return this.#received.toString('latin1')
  }

  /** Negotiates TLS on this connection. */
  async startTls(): Promise<void> {
    const plain = this.socket
    plain.removeAllListeners('data').removeAllListeners('end')
    this.socket = connectTls({ socket: plain, rejectUnauthorized: false })
    this.#listen(this.socket)
    await once(this.socket, 'secureConnect')
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy()
  }

  #listen(socket: Socket): void {
    socket.on('data', (octets: Buffer) => {
      this.#received = Buffer.concat([this.#received, octets])
      this.#wake()
    })
    const close = () => {
      this.#isClosed = true
      this.#wake()
    }
    socket.on('end', close).on('close', close).on('error', close)
  }

  async #wait(isTrue: () => boolean): Promise<void> {
    const deadline = performance.now() + DEADLINE_MS
    while (!isTrue()) {
      const leftMs = deadline - performance.now()
      if (this.#isClosed || leftMs <= 0) {
        throw new NoReply(
          `${this.#isClosed ? 'closed' : 'silent'} after ${JSON.stringify(this.#received.toString('latin1'))}`,
        )
      }
      const { promise, resolve } = Promise.withResolvers<void>()
      const timer = setTimeout(resolve, leftMs)
      this.#wake = resolve
      await promise
      clearTimeout(timer)
    }
  }
}
