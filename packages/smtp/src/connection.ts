// One session of smtp-server, held to the letter: what a command is, in which order and how often it may come (RFC 5321
// section 4.1, RFC 2920), how a reply is coded (RFC 2034), and how long each step may take (limits.ts).
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import { checkAuthCommand, checkAuthResponse } from './auth-syntax.ts'
import { bringsMail, checkCommand, isOurs, LastReply, withoutTrailingSpace } from './command-rules.ts'
import { type CommandFault, SmtpInput } from './input.ts'
import type { SessionLimits } from './limits.ts'
import { type Extension, type PathCommand, parsePathCommand } from './path-command.ts'
import { RecipientPlaces } from './recipient-places.ts'
import { asciiReply, SmtpReply } from './reply.ts'

type Done = () => void

const FAULTS: Record<CommandFault, string> = {
  'bare-lf': 'Lines end in CR LF and in nothing else',
  control: 'A command must not hold CR or NUL',
  'too-long': 'Line too long',
  endless: 'Line too long',
}

/** Content that comes in and is dropped, as a mail over the limit is, beyond twice the limit: then the session ends. */
const SPARE_BYTES = 1_048_576

export class EdgeConnection extends SMTPConnection {
  /** Whose it is, when places are counted. */
  network = ''
  readonly #openedAt = Date.now()
  /** The last reply: since then it is the client's turn. */
  #repliedAt = Date.now()
  #dataSince = 0
  #errors = 0
  #idleCommands = 0
  #commands = 0
  #parsed: PathCommand | undefined
  readonly #places = new RecipientPlaces()

  /** Ends the session when a step takes longer than it may. Called now and then. */
  checkDeadlines(now: number): void {
    if (this._closing || this._handlerPending) return
    const { commandTimeoutMs, handshakeTimeoutMs, sessionTimeoutMs } = this.#limits
    const waitedMs = now - this.#repliedAt
    if (this._upgrading) {
      if (waitedMs > handshakeTimeoutMs) this._socket.destroy()
    } else if (this._dataStream) this.#checkContent(now)
    else if (waitedMs > commandTimeoutMs) this.send(421, 'No command came in time', '4.4.2')
    else if (now - this.#openedAt > sessionTimeoutMs) this.send(421, 'The session is too long', '4.4.2')
  }

  #checkContent(now: number): void {
    const input = this.#inputOfContent()
    if (input === undefined) return
    const { commandTimeoutMs, dataMinBytesPerSecond, sessionTimeoutMs } = this.#limits
    const tookMs = now - this.#dataSince
    const longestMs = commandTimeoutMs + (input.contentBytes / dataMinBytesPerSecond) * 1_000
    if (tookMs > Math.min(longestMs, sessionTimeoutMs)) this.send(421, 'The message comes too slowly', '4.4.2')
    const { size } = this._server.options
    if (size !== undefined && input.contentBytes > 2 * size + SPARE_BYTES)
      this.#answer(new LastReply(552, '5.3.4', `Message is larger than the limit of ${size} octets`))
  }

  /** Whose turn it is while a mail is taken: the client's as long as there is input. */
  #inputOfContent(): SmtpInput | undefined {
    return this._parser !== false && this._parser._dataMode ? (this._parser as SmtpInput) : undefined
  }

  /** For how long the session has held its place for nothing; undefined after a login, and while it is our turn. */
  idleMs(now: number): number | undefined {
    if (this._closing || this._handlerPending || !this._ready || this.session.user) return undefined
    if (!this._dataStream) return now - this.#repliedAt
    const input = this.#inputOfContent()
    const tookMs = now - this.#dataSince
    const isSlow = input !== undefined && input.contentBytes < (this.#limits.dataMinBytesPerSecond * tookMs) / 1_000
    return isSlow ? tookMs : undefined
  }

  /** Ends the session because somebody else needs its place. */
  giveWay(): void {
    if (this._upgrading) {
      this._socket.destroy()
      this._server.connections.delete(this)
    } else this.send(421, 'Too many sessions are open, and this one was idle', '4.4.5')
  }

  /** Nothing at all has come for as long as a command may take. */
  override _onTimeout(): void {
    const isOurTurn = this._handlerPending || (this._dataStream && this._parser && !this._parser._dataMode)
    if (this._closing || isOurTurn) super._onTimeout()
    else this.send(421, 'Nothing came in time', '4.4.2')
  }

  get #limits(): SessionLimits {
    return limitsOf(this)
  }

  override _createParser(): SmtpInput {
    const handlers = {
      command: (line: Buffer, done: Done) => this._onCommand(line, done),
      refused: (fault: CommandFault, done: Done) => this.#refuseLine(fault, done),
    }
    const input = new SmtpInput(handlers, limitsOf(this).lines)
    input.on('error', () => this.send(421, 'The session failed', '4.3.0'))
    return input
  }

  override _sendGreeting(): void {
    if ((this._parser as SmtpInput).hasHeard) this.send(421, `${this.name} You talk too soon`, '4.7.0')
    else super._sendGreeting()
  }

  override _isSupported(command: string): boolean {
    return isOurs(command) && super._isSupported(command)
  }

  override _onCommand(line: Buffer, done: Done = () => {}): void {
    if (!this._ready) this.send(421, `${this.name} You talk too soon`, '4.7.0')
    else
      this.#checked(done, () => {
        const command = this._nextHandler ? line : withoutTrailingSpace(line)
        if (this._nextHandler) checkAuthResponse(command.toString())
        else if (!this._upgrading) this.#check(command)
        super._onCommand(command, done)
      })
  }

  /** Whether the command may go on to its handler. @throws SmtpReply */
  #check(line: Buffer): void {
    const { maxIdleCommands, maxCommands } = this.#limits
    const verb = line.toString().split(' ', 1)[0]!.toUpperCase()
    checkCommand(line, verb, (this._parser as SmtpInput).hasMore)
    if (!this._isSupported(verb)) throw new SmtpReply(500, '5.5.2', 'Command not recognized')
    const isIdle = !bringsMail(verb) && ++this.#idleCommands > maxIdleCommands
    if (isIdle || ++this.#commands > maxCommands + (this._server.options.maxRecipients ?? 0))
      throw new LastReply(421, '4.7.0', 'Too many commands without a mail')
  }

  #refuseLine(fault: CommandFault, done: Done): void {
    const isAuth = this._nextHandler !== false
    this._nextHandler = false
    if (!this._ready) this.send(421, `${this.name} You talk too soon`, '4.7.0')
    else if (!this._upgrading) this.send(500, FAULTS[fault], isAuth && fault === 'too-long' ? '5.5.6' : '5.5.2')
    if (fault === 'endless') this.close()
    done()
  }

  override send(code: number, data?: string | string[] | null, context?: string | false): void {
    this.#repliedAt = Date.now()
    if (code === 250 && context === 'DATA_OK') this.#errors = this.#idleCommands = this.#commands = 0
    if (code === 538) context = '5.7.11' // RFC 4954 section 6
    const takesUtf8 = this.session.envelope?.smtpUtf8 === true
    const text = typeof data === 'string' && !takesUtf8 ? asciiReply(data) : data
    super.send(code, text, code === 421 && !isStatus(context) && context !== false ? this.#statusOf421() : context)
    if (code >= 500 && ++this.#errors === this.#limits.maxErrors) super.send(421, 'Too many errors', '4.7.0')
  }

  #statusOf421(): string {
    return this._server._closeTimeout ? '4.3.2' : '4.7.0'
  }

  override handler_AUTH(command: Buffer, done: Done): void {
    this.#checked(done, () => {
      checkAuthCommand(command.toString(), this.session.envelope.mailFrom !== false)
      super.handler_AUTH(command, done)
    })
  }

  override handler_MAIL(command: Buffer, done: Done): void {
    this.#checked(done, () => {
      this.#parsed = parsePathCommand('MAIL FROM', command.toString(), this.#notOffered)
      this.#checkUtf8(this.#parsed, this.#parsed.args !== false && this.#parsed.args.SMTPUTF8 === true)
      // The base class keeps the parameters of a MAIL that was refused.
      if (!this.session.envelope.mailFrom) this._resetSession()
      super.handler_MAIL(command, done)
    })
  }

  override handler_RCPT(command: Buffer, done: Done): void {
    this.#checked(done, () => {
      this.#parsed = parsePathCommand('RCPT TO', command.toString(), this.#notOffered)
      this.#checkUtf8(this.#parsed, this.session.envelope.smtpUtf8 || !this.session.envelope.mailFrom)
      this.#findPlace(this.#parsed.address)
      super.handler_RCPT(command, done)
    })
  }

  /** The base class takes addresses that differ in case only for one, of which it keeps the last. */
  #findPlace(address: string): void {
    const place = this.#places.find(address, this.session.envelope.rcptTo)
    this._rcptIndex = new Map(place === undefined ? [] : [[address.toLowerCase(), place]])
  }

  override handler_DATA(command: Buffer, done: Done): void {
    this.#dataSince = Date.now()
    super.handler_DATA(command, done)
  }

  override handler_HELP(_command: Buffer, done: Done): void {
    this.send(214, 'EHLO HELO MAIL RCPT DATA RSET NOOP VRFY QUIT')
    done()
  }

  /** The base class asks for what `handler_MAIL` and `handler_RCPT` have read already. */
  override _parseAddressCommand(_name: string, _command: Buffer | string): PathCommand | false {
    return this.#parsed ?? false
  }

  get #notOffered(): Extension[] {
    return [
      ...(this._server.options.hideDSN ? (['DSN'] as const) : []),
      ...(this._isSupported('AUTH') ? [] : (['AUTH'] as const)),
    ]
  }

  #checkUtf8({ address, args }: PathCommand, isAllowed: boolean): void {
    const original = args === false ? '' : (args.ORCPT ?? '')
    if (!isAllowed && /\P{ASCII}/u.test(`${address}${original}`))
      throw new SmtpReply(553, '5.6.7', 'The address needs SMTPUTF8 on MAIL (RFC 6531)')
  }

  #checked(done: Done, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof SmtpReply)) throw error
      this._nextHandler = false
      this.#answer(error)
      done()
    }
  }

  #answer(reply: SmtpReply): void {
    this.send(reply.responseCode, reply.message, reply.enhancedCode)
    if (reply instanceof LastReply) this.close()
  }
}

/** The base class's constructor needs the limits before this class has its fields; the server has them. */
function limitsOf(connection: SMTPConnection): SessionLimits {
  return (connection._server as unknown as { limits: SessionLimits }).limits
}

function isStatus(context: string | false | undefined): boolean {
  return typeof context === 'string' && /^[245]\.\d+\.\d+$/.test(context)
}
