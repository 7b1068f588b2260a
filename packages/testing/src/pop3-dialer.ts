// A POP3 client for tests that converses line by line (RFC 1939, STLS RFC 2595, response codes RFC 2449).
import { AssertionError, equal } from 'node:assert/strict'
import { connect, type DialOptions, type Endpoint, type LineSocket } from './line-socket.ts'

export type Pop3Status = '+OK' | '-ERR'

export interface Pop3Reply {
  status: Pop3Status
  /** Without status and response code. */
  text: string
  /** As in `IN-USE` or `SYS/TEMP`. */
  responseCode?: string
}

export interface Pop3DialOptions extends DialOptions {
  /** Status of the greeting; default +OK. */
  greeting?: Pop3Status
}

/** Connects and awaits the greeting. */
export async function dialPop3(endpoint: Endpoint, options: Pop3DialOptions = {}): Promise<Pop3Dialer> {
  const socket = await connect(endpoint, options)
  const dialer = new Pop3Dialer(socket, options.servername ?? endpoint.host, options.ca)
  try {
    await dialer.hear(options.greeting, 'as the greeting')
    return dialer
  } catch (error) {
    await socket.close()
    throw error
  }
}

export class Pop3Dialer implements AsyncDisposable {
  readonly #socket: LineSocket
  readonly #servername: string
  readonly #ca: string | Buffer | undefined

  constructor(socket: LineSocket, servername: string, ca?: string | Buffer) {
    this.#socket = socket
    this.#servername = servername
    this.#ca = ca
  }

  /** Sends a line, awaits the one-line reply, and fails unless it has the status. */
  async say(line: string, status: Pop3Status = '+OK'): Promise<Pop3Reply> {
    await this.#socket.write(`${line}\r\n`)
    return this.hear(status, `in reply to "${shown(line)}"`)
  }

  /** The same for a command whose +OK is followed by lines; gives them un-dot-stuffed, byte for byte. */
  async sayMultiline(line: string): Promise<Pop3Reply & { body: Buffer }> {
    const reply = await this.say(line)
    return { ...reply, body: await this.#socket.readDotted(`the lines after "${shown(line)}"`) }
  }

  /** Awaits a one-line reply without sending anything. */
  async hear(status: Pop3Status = '+OK', about = 'as the next reply'): Promise<Pop3Reply> {
    const line = await this.#socket.readLine(`a reply ${about}`)
    const match = /^(?<status>\+OK|-ERR)(?: \[(?<responseCode>[^\]]+)\])?(?: (?<text>.*))?$/.exec(line)?.groups
    if (match?.status !== status)
      throw new AssertionError({
        message: `expected ${status} ${about}, got "${line}"`,
        actual: line,
        expected: status,
      })
    const { responseCode, text = '' } = match
    return { status, text, ...(responseCode !== undefined && { responseCode }) }
  }

  /** Sends bytes as they are and awaits nothing. */
  async raw(bytes: string | Buffer): Promise<void> {
    await this.#socket.write(bytes)
  }

  /** STLS and the handshake. */
  async stls(): Promise<void> {
    await this.say('STLS')
    await this.#socket.startTls(this.#servername, this.#ca)
  }

  /** USER and PASS; `status` is that of the reply to PASS. */
  async login(user: string, password: string, status: Pop3Status = '+OK'): Promise<Pop3Reply> {
    await this.say(`USER ${user}`)
    return this.say(`PASS ${password}`, status)
  }

  /** The mails of the maildrop by number. */
  async list(): Promise<{ number: number; sizeBytes: number }[]> {
    return (await this.#listing('LIST')).map(([number, size]) => ({ number: Number(number), sizeBytes: Number(size) }))
  }

  async uidl(): Promise<{ number: number; uid: string }[]> {
    return (await this.#listing('UIDL')).map(([number, uid]) => ({ number: Number(number), uid: uid ?? '' }))
  }

  /** A whole mail, exactly as the server stores it. */
  async retrieve(number: number): Promise<Buffer> {
    const { text, body } = await this.sayMultiline(`RETR ${number}`)
    const announced = /^(\d+) octets$/.exec(text)?.[1]
    if (announced !== undefined) equal(body.length, Number(announced), `octets of message ${number}`)
    return body
  }

  /** Every mail of the maildrop, in order. */
  async retrieveAll(): Promise<Buffer[]> {
    const mails: Buffer[] = []
    for (const { number } of await this.list()) mails.push(await this.retrieve(number))
    return mails
  }

  async dele(number: number): Promise<void> {
    await this.say(`DELE ${number}`)
  }

  /** QUIT, which carries out the deletions, and the end of the connection. */
  async quit(): Promise<void> {
    await this.say('QUIT')
    await this.#socket.close()
  }

  /** Awaits that the server closes the connection, with nothing more to say. */
  async closed(): Promise<void> {
    await this.#socket.readEnd()
  }

  /** Hangs up without QUIT: nothing is deleted. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket.close()
  }

  async #listing(command: string): Promise<string[][]> {
    const { body } = await this.sayMultiline(command)
    return body
      .toString('latin1')
      .split('\r\n')
      .slice(0, -1)
      .map((line) => line.split(' '))
  }
}

function shown(line: string): string {
  return /^(?:PASS|AUTH) /i.test(line) ? `${line.slice(0, 4)} …` : line.slice(0, 100)
}
