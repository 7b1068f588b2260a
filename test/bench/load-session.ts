// A lean SMTP client for load: no checks beyond the reply codes, so that it takes little of the machine.
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'

export interface Target {
  host: string
  port: number
  /** Implicit TLS with this CA (PEM), and a login, for submission. */
  secure?: { ca: Buffer; address: string; password: string }
}

export class LoadSession {
  #socket: Socket
  #text = ''
  #waiting: { resolve: (reply: string) => void; reject: (error: Error) => void }[] = []

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('error', (error) => this.#fail(error))
    socket.on('close', () => this.#fail(new Error('connection closed')))
  }

  /** Sends one mail. @throws Error when it is not accepted. */
  async send(mailFrom: string, recipient: string, mail: string): Promise<void> {
    await this.#say(`MAIL FROM:<${mailFrom}>`, '250')
    await this.#say(`RCPT TO:<${recipient}>`, '250')
    await this.#say('DATA', '354')
    await this.#say(`${mail}\r\n.`, '250')
  }

  async open({ secure }: Target): Promise<void> {
    await this.#reply('220')
    await this.#say('EHLO load.example', '250')
    if (secure === undefined) return
    const token = Buffer.from(`\0${secure.address}\0${secure.password}`).toString('base64')
    await this.#say(`AUTH PLAIN ${token}`, '235')
  }

  async close(): Promise<void> {
    await this.#say('QUIT', '221')
    this.#socket.destroy()
  }

  async #say(line: string, code: string): Promise<void> {
    const reply = this.#reply(code)
    this.#socket.write(`${line}\r\n`)
    await reply
  }

  async #reply(code: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    this.#waiting.push({ resolve, reject })
    const reply = await promise
    if (!reply.startsWith(code)) throw new Error(`expected ${code}, got: ${reply}`)
  }

  #take(chunk: Buffer): void {
    this.#text += chunk.toString('latin1')
    for (let end = this.#text.indexOf('\r\n'); end >= 0; end = this.#text.indexOf('\r\n')) {
      const line = this.#text.slice(0, end)
      this.#text = this.#text.slice(end + 2)
      if (/^\d{3}(?: |$)/.test(line)) this.#waiting.shift()?.resolve(line)
    }
  }

  #fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }
}

/** Connects and, for submission, logs in. */
export async function openLoadSession(target: Target): Promise<LoadSession> {
  const { host, port, secure } = target
  const socket =
    secure === undefined ? connectTcp(port, host) : connectTls({ host, port, ca: secure.ca, servername: 'localhost' })
  const session = new LoadSession(socket)
  await session.open(target)
  return session
}
