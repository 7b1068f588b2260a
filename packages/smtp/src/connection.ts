// One session of smtp-server, held to the letter: what a command is, in which order and how often it may come (RFC 5321
// section 4.1, RFC 2920), how a reply is coded (RFC 2034), and how long each step may take (limits.ts).
import { SMTPConnection } from 'smtp-server/lib/smtp-connection.js'
import { checkAuthCommand, checkAuthResponse } from './auth-syntax.ts'
import { type CommandFault, SmtpInput } from './input.ts'
import type { SessionLimits } from './limits.ts'
import { type PathCommand, parsePathCommand } from './path-command.ts'
import { SmtpReply } from './reply.ts'

type Done = () => void

/** Their replies change what may follow, so a client has to wait for them (RFC 2920 section 3.1, RFC 4954 section 4). */
const LAST_IN_GROUP = new Set(['HELO', 'EHLO', 'DATA', 'AUTH', 'VRFY', 'EXPN'])
const BRINGS_MAIL = new Set(['MAIL', 'RCPT', 'DATA', 'QUIT'])
/** Commands of the standards that this server knows and does not do (RFC 5321 section 4.2.4). */
const NOT_IMPLEMENTED = new Set(['EXPN', 'TURN', 'ETRN', 'ATRN', 'SEND', 'SOML', 'SAML'])
/** Jokes, and commands by which a client would say who it is, in the library. */
const NOT_OURS = new Set(['WIZ', 'SHELL', 'KILL', 'XCLIENT', 'XFORWARD'])
/** RFC 5321 section 4.5.3.1.4 with what the extensions add to MAIL and RCPT. */
const LONGEST_COMMAND = 2_048

const FAULTS: Record<CommandFault, string> = {
  'bare-lf': 'Lines end in CR LF and in nothing else',
  control: 'A command must not hold CR or NUL',
  'too-long': 'Line too long',
  endless: 'Line too long',
}

export class EdgeConnection extends SMTPConnection {
  readonly #openedAt = Date.now()
  /** The last reply: since then it is the client's turn. */
  #repliedAt = Date.now()
  #dataSince = 0
  #errors = 0
  #idleCommands = 0
  #parsed: PathCommand | undefined

  /** Ends the session when a step takes longer than it may. Called now and then. */
  checkDeadlines(now: number): void {
    if (this._closing || this._handlerPending) return
    const { commandTimeoutMs, handshakeTimeoutMs, dataMinBytesPerSecond, sessionTimeoutMs } = this.#limits
    const waitedMs = now - this.#repliedAt
    if (this._upgrading) {
      if (waitedMs > handshakeTimeoutMs) this._socket.destroy()
    } else if (this._dataStream) {
      const parser = this._parser
      if (parser === false || !parser._dataMode) return
      const longestMs = commandTimeoutMs + (parser.dataBytes / dataMinBytesPerSecond) * 1_000
      if (now - this.#dataSince > longestMs) this.send(421, 'The message comes too slowly', '4.4.2')
    } else if (waitedMs > commandTimeoutMs) this.send(421, 'No command came in time', '4.4.2')
    else if (now - this.#openedAt > sessionTimeoutMs) this.send(421, 'The session is too long', '4.4.2')
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
    return !NOT_OURS.has(command) && super._isSupported(command)
  }

  override _onCommand(line: Buffer, done: Done = () => {}): void {
    if (!this._ready) this.send(421, `${this.name} You talk too soon`, '4.7.0')
    else
      this.#checked(done, () => {
        if (this._upgrading || this.#mayRun(line)) super._onCommand(line, done)
      })
  }

  /** Whether the command goes on to its handler; if not, it is answered. @throws SmtpReply */
  #mayRun(line: Buffer): boolean {
    const text = line.toString()
    if (this._nextHandler) return checkAuthResponse(text)
    const verb = text.split(' ', 1)[0]!.toUpperCase()
    if (line.length > LONGEST_COMMAND && verb !== 'AUTH') throw new SmtpReply(500, '5.5.2', FAULTS['too-long'])
    if (LAST_IN_GROUP.has(verb) && (this._parser as SmtpInput).hasMore)
      return this.#end(554, `${verb} must be the last command before a reply is awaited`, '5.5.0')
    // What follows BDAT are octets of content, which must never be taken for commands.
    if (verb === 'BDAT') return this.#end(502, 'CHUNKING is not offered here', '5.5.1')
    if (NOT_IMPLEMENTED.has(verb)) throw new SmtpReply(502, '5.5.1', 'Command not implemented')
    if (!this._isSupported(verb)) throw new SmtpReply(500, '5.5.2', 'Command not recognized')
    if (!BRINGS_MAIL.has(verb) && ++this.#idleCommands > this.#limits.maxIdleCommands)
      return this.#end(421, 'Too many commands without a mail', '4.7.0')
    return true
  }

  #end(code: number, text: string, status: string): false {
    this.send(code, text, status)
    this.close()
    return false
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
    if (code === 250 && context === 'DATA_OK') this.#errors = this.#idleCommands = 0
    super.send(code, data, code === 421 && !isStatus(context) && context !== false ? '4.7.0' : context)
    if (code >= 500 && ++this.#errors === this.#limits.maxErrors) super.send(421, 'Too many errors', '4.7.0')
  }

  override handler_AUTH(command: Buffer, done: Done): void {
    this.#checked(done, () => {
      checkAuthCommand(command.toString(), this.session.envelope.mailFrom !== false)
      super.handler_AUTH(command, done)
    })
  }

  override handler_MAIL(command: Buffer, done: Done): void {
    this.#checked(done, () => {
      this.#parsed = parsePathCommand('MAIL FROM', command.toString())
      this.#checkUtf8(this.#parsed, this.#parsed.args !== false && this.#parsed.args.SMTPUTF8 === true)
      super.handler_MAIL(command, done)
    })
  }

  override handler_RCPT(command: Buffer, done: Done): void {
    this.#checked(done, () => {
      this.#parsed = parsePathCommand('RCPT TO', command.toString())
      this.#checkUtf8(this.#parsed, this.session.envelope.smtpUtf8 || !this.session.envelope.mailFrom)
      super.handler_RCPT(command, done)
    })
  }

  override handler_DATA(command: Buffer, done: Done): void {
    this.#checked(done, () => {
      if (!/^DATA *$/i.test(command.toString())) throw new SmtpReply(501, '5.5.4', 'Syntax: DATA')
      this.#dataSince = Date.now()
      super.handler_DATA(command, done)
    })
  }

  override handler_HELP(_command: Buffer, done: Done): void {
    this.send(214, 'EHLO HELO MAIL RCPT DATA RSET NOOP VRFY QUIT')
    done()
  }

  /** The base class asks for what `handler_MAIL` and `handler_RCPT` have read already. */
  override _parseAddressCommand(_name: string, _command: Buffer | string): PathCommand | false {
    return this.#parsed ?? false
  }

  #checkUtf8({ address }: PathCommand, isAllowed: boolean): void {
    if (!isAllowed && /\P{ASCII}/u.test(address))
      throw new SmtpReply(553, '5.6.7', 'The address needs SMTPUTF8 on MAIL (RFC 6531)')
  }

  #checked(done: Done, run: () => void): void {
    try {
      run()
    } catch (error) {
      if (!(error instanceof SmtpReply)) throw error
      this._nextHandler = false
      this.send(error.responseCode, error.message, error.enhancedCode)
      done()
    }
  }
}

/** The base class's constructor needs the limits before this class has its fields; the server has them. */
function limitsOf(connection: SMTPConnection): SessionLimits {
  return (connection._server as unknown as { limits: SessionLimits }).limits
}

function isStatus(context: string | false | undefined): boolean {
  return typeof context === 'string' && /^[245]\.\d+\.\d+$/.test(context)
}
