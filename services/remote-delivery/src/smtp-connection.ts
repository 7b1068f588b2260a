// nodemailer's SMTP connection with what it has no option for: parameters that differ from recipient to recipient
// (RFC 3461), SMTPUTF8 for a mail whose header needs it while its addresses don't (RFC 6531 section 3.4), and strictness
// where leniency could take a mail for sent that nobody has (RFC 5321 sections 4.2.1 and 4.3.2).
import type { Socket } from 'node:net'
import SMTPConnection, { type SMTPConnectionOptions } from 'nodemailer/lib/smtp-connection'

/** Members that nodemailer keeps to itself. `smtp.test.ts` fails when a new version changes them. */
interface Internals {
  _socket: Socket
  _supportedExtensions: string[]
  _maxAllowedSize: number
  /** Replies that have not been dealt with; only the last one may be incomplete. */
  _responseQueue: string[]
  _processResponse(): void
  _onError(error: Error, code: string, reply: string | false, command: string): void
  _sendCommand(line: string, logged?: string): void
  _actionGreeting(reply: string): void
  _actionEHLO(reply: string): void
  _actionDATA(reply: string, done: (error: Error | null, info?: unknown) => void): void
}

const Base = SMTPConnection as unknown as new (options: SMTPConnectionOptions) => SMTPConnection & Internals

export class Connection extends Base {
  lastCommand: string | undefined
  /** What ended the connection, when it was not the end of the dialogue. */
  lastError: Error | undefined
  /** Whether a whole mail was handed over since this was last reset: the server may have taken it. */
  mayHaveTaken = false
  /** The name that the server greets with. */
  greetingName: string | undefined
  /** Whether the server offers STARTTLS. */
  offersTls = false
  /** Makes MAIL declare SMTPUTF8. */
  isUtf8 = false
  /** Parameters by address as RCPT shows it, each with a space before it. */
  rcptParameters = new Map<string, string>()

  constructor(options: SMTPConnectionOptions) {
    super(options)
    this.on('error', (error) => {
      this.lastError = error
    })
  }

  /** Resolves as `start` says, or to undefined when the connection ends first: then nodemailer calls nobody back. */
  async untilEnd<T>(start: (resolve: (value: T) => void) => void): Promise<T | undefined> {
    const { promise, resolve } = Promise.withResolvers<T | undefined>()
    const giveUp = () => setImmediate(resolve, undefined)
    this.once('end', giveUp)
    start(resolve)
    const value = await promise
    this.off('end', giveUp)
    return value
  }

  get socket(): Socket {
    return this._socket
  }

  get extensions(): readonly string[] {
    return this._supportedExtensions
  }

  /** 0 when the server names no limit. */
  get maxSizeBytes(): number {
    return this._maxAllowedSize
  }

  override _actionGreeting(reply: string): void {
    this.greetingName = /^220[ -]([^\s]{1,255})/.exec(reply)?.[1]?.toLowerCase()
    super._actionGreeting(reply)
  }

  override _actionEHLO(reply: string): void {
    this.offersTls ||= /^250[ -]STARTTLS\b/im.test(reply)
    super._actionEHLO(reply)
  }

  /** A reply to DATA that is not 354 answers something else: what the server says to the mail would not be about it. */
  override _actionDATA(reply: string, done: (error: Error | null, info?: unknown) => void): void {
    if (/^2/.test(reply)) {
      done(Object.assign(new Error(`its reply to DATA was ${reply.slice(0, 100)}`), { code: 'EPROTOCOL' }))
      this.close()
    } else super._actionDATA(reply, done)
  }

  /** All lines of a reply have the same code. */
  override _processResponse(): void {
    const [reply = ''] = this._responseQueue
    if (isContinued(reply) || isOfOneCode(reply)) super._processResponse()
    else this._onError(new Error('the lines of a reply had different codes'), 'EPROTOCOL', false, 'CONN')
  }

  override _sendCommand(line: string, logged?: string): void {
    this.lastCommand = line
    super._sendCommand(line + this.#parameters(line), logged)
  }

  #parameters(line: string): string {
    if (line.startsWith('MAIL FROM:')) return this.isUtf8 && !/ SMTPUTF8( |$)/.test(line) ? ' SMTPUTF8' : ''
    const address = /^RCPT TO:<(.*)>$/.exec(line)?.[1]
    return (address !== undefined && this.rcptParameters.get(address)) || ''
  }
}

function isContinued(reply: string): boolean {
  return /^\d+-/.test(reply.slice(reply.lastIndexOf('\n') + 1))
}

function isOfOneCode(reply: string): boolean {
  const [first = '', ...others] = reply.split('\n')
  return others.every((line) => line.slice(0, 3) === first.slice(0, 3))
}
