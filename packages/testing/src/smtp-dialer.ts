// An SMTP client for tests that converses line by line (RFC 5321), so that a test reads like the session it holds.
import { dotStuff } from './dot-stuffing.ts'
import { connect, type DialOptions, type Endpoint, type LineSocket } from './line-socket.ts'
import { assertCode, readReply, type SmtpReply } from './smtp-dialer-reply.ts'

export interface SmtpDialOptions extends DialOptions {
  /** Code of the greeting; default 220. */
  greeting?: number
}

export interface TestEnvelope {
  /** Empty for the null reverse-path. */
  mailFrom: string
  recipients: string[]
  /** ESMTP parameters of MAIL, such as `BODY=8BITMIME`. */
  parameters?: string
}

/** Connects and awaits the greeting. */
export async function dialSmtp(endpoint: Endpoint, options: SmtpDialOptions = {}): Promise<SmtpDialer> {
  const socket = await connect(endpoint, options)
  try {
    const greeting = await readReply(() => socket.readLine('a greeting'))
    assertCode(greeting, options.greeting ?? 220, 'as the greeting')
    return new SmtpDialer(socket, greeting, endpoint, options)
  } catch (error) {
    await socket.close()
    throw error
  }
}

export class SmtpDialer implements AsyncDisposable {
  readonly greeting: SmtpReply
  readonly #socket: LineSocket
  readonly #endpoint: Endpoint
  readonly #options: SmtpDialOptions

  constructor(socket: LineSocket, greeting: SmtpReply, endpoint: Endpoint, options: SmtpDialOptions) {
    this.#socket = socket
    this.greeting = greeting
    this.#endpoint = endpoint
    this.#options = options
  }

  /** Sends a line (its CRLF is added), awaits the whole reply, and fails unless it has the code. */
  async say(line: string, code?: number): Promise<SmtpReply> {
    await this.#socket.write(`${line}\r\n`)
    return this.hear(code, `in reply to "${shown(line)}"`)
  }

  /** Awaits a reply without sending anything, as after `raw` or several commands at once. */
  async hear(code?: number, about = 'as the next reply'): Promise<SmtpReply> {
    return assertCode(await readReply(() => this.#socket.readLine(`a reply ${about}`)), code, about)
  }

  /** Sends bytes as they are and awaits nothing. */
  async raw(bytes: string | Buffer): Promise<void> {
    await this.#socket.write(bytes)
  }

  /** STARTTLS and the handshake; the test says EHLO again. */
  async starttls(): Promise<void> {
    await this.say('STARTTLS', 220)
    await this.#socket.startTls(this.#options.servername ?? this.#endpoint.host, this.#options.ca)
  }

  /** AUTH PLAIN with an initial response (RFC 4616). */
  async authPlain(user: string, password: string, code = 235): Promise<SmtpReply> {
    return this.say(`AUTH PLAIN ${base64(`\0${user}\0${password}`)}`, code)
  }

  /** AUTH LOGIN, answering its two prompts. */
  async authLogin(user: string, password: string, code = 235): Promise<SmtpReply> {
    await this.say('AUTH LOGIN', 334)
    await this.say(base64(user), 334)
    return this.say(base64(password), code)
  }

  /** One transaction: MAIL, RCPT for each, DATA, the message dot-stuffed. Fails unless the last reply has the code. */
  async send(envelope: TestEnvelope, message: string | Buffer, code = 250): Promise<SmtpReply> {
    const parameters = envelope.parameters === undefined ? '' : ` ${envelope.parameters}`
    await this.say(`MAIL FROM:<${envelope.mailFrom}>${parameters}`, 250)
    for (const recipient of envelope.recipients) await this.say(`RCPT TO:<${recipient}>`, 250)
    await this.say('DATA', 354)
    return this.sendMessage(message, code)
  }

  /** What follows 354: the message dot-stuffed, and the dot. A reply that comes before all is sent counts. */
  async sendMessage(message: string | Buffer, code = 250): Promise<SmtpReply> {
    const content = dotStuff(Buffer.from(message))
    const writing = this.#socket.write(Buffer.concat([content, Buffer.from('.\r\n')]))
    const [written, heard] = await Promise.allSettled([writing, this.hear(code, 'in reply to the message')])
    if (heard.status === 'fulfilled') return heard.value
    if (written.status === 'rejected' && heard.reason instanceof Error) heard.reason.cause ??= written.reason
    throw heard.reason
  }

  async quit(): Promise<void> {
    await this.say('QUIT', 221)
    await this.#socket.close()
  }

  /** Awaits that the server closes the connection, with nothing more to say. */
  async closed(): Promise<void> {
    await this.#socket.readEnd()
  }

  /** Hangs up without QUIT. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#socket.close()
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

function shown(line: string): string {
  return line.startsWith('AUTH ') ? line.split(' ', 2).join(' ') : line.slice(0, 100)
}
