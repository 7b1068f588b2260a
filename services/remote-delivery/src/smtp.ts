// A session with a remote server, spoken by nodemailer over a socket that is open (RFC 5321, RFC 3207).
import { TLSSocket } from 'node:tls'
import type { Recipient } from '@sekimori/mail/job'
import { capabilityFault } from './capability.ts'
import type { Reached } from './mx.ts'
import type { OutboundMail } from './outbound-mail.ts'
import { deferred, type Failure, type Outcome } from './outcome.ts'
import { Connection } from './smtp-connection.ts'
import { interruption, type SmtpError, smtpFailure } from './smtp-failure.ts'
import { type TransactionLimits, transact } from './transaction.ts'

export interface SmtpOptions extends TransactionLimits {
  ehloName: string
  greetingTimeoutMs: number
  login?: { user: string; password: string }
}

/**
 * none: not even when offered. opportunistic: when offered, with any certificate. required (STARTTLS) and implicit:
 * with a certificate that fits the server's name.
 */
export type TlsMode = 'none' | 'opportunistic' | 'required' | 'implicit'

/** `isOfTls`: it was STARTTLS that went wrong, or what followed it. */
export type Opened = { kind: 'open'; session: Session } | { kind: 'failed'; failure: Failure; isOfTls: boolean }

const RECIPIENTS_MOST = 100
const FAREWELL_MS = 2_000
const REPLY_MOST_BYTES = 65_536

/** Waits for the greeting, says EHLO, encrypts and logs in, as far as asked for. Never rejects. */
export async function openSession(
  server: Reached,
  mode: TlsMode,
  options: SmtpOptions,
  signal: AbortSignal,
): Promise<Opened> {
  const connection = new Connection({
    connection: server.socket,
    host: server.hostname,
    name: options.ehloName,
    ...tlsOptions(mode),
    connectionTimeout: 2 * (options.greetingTimeoutMs + options.commandTimeoutMs),
    greetingTimeout: options.greetingTimeoutMs,
    socketTimeout: options.commandTimeoutMs,
    socketCloseTimeout: FAREWELL_MS,
    maxResponseSize: REPLY_MOST_BYTES,
  })
  const session = new Session(connection, server, options)
  const error = await handshake(connection, options, signal)
  if (error === 'ready') return { kind: 'open', session }
  connection.close()
  const failure = signal.aborted ? interruption(signal) : smtpFailure(namedTlsError(error, connection))
  return {
    kind: 'failed',
    failure: { ...failure, remoteMta: session.remoteMta },
    isOfTls: connection.lastCommand === 'STARTTLS',
  }
}

function tlsOptions(mode: TlsMode) {
  switch (mode) {
    case 'none':
      return { ignoreTLS: true }
    case 'opportunistic':
      return { opportunisticTLS: true, tls: { rejectUnauthorized: false } }
    case 'required':
      return { requireTLS: true }
    case 'implicit':
      return { secure: true }
  }
}

/** A handshake that fails reaches us as an error of the socket, unless nodemailer has noticed it itself. */
function namedTlsError(error: SmtpError, { upgrading }: Connection): SmtpError {
  const isHandshake = upgrading === true && error.code === 'ESOCKET' && !/^E[A-Z]+$/.test(error.originalCode ?? '')
  return isHandshake ? Object.assign(error, { code: 'ETLS' }) : error
}

/** Resolves to what went wrong, or to 'ready'. */
async function handshake(
  connection: Connection,
  { login }: SmtpOptions,
  signal: AbortSignal,
): Promise<SmtpError | 'ready'> {
  const interrupt = () => connection.close()
  signal.addEventListener('abort', interrupt)
  const end = await connection.untilEnd<SmtpError | 'ready'>((resolve) => {
    connection.connect((error) => {
      if (error || login === undefined) resolve(error ?? 'ready')
      else connection.login({ user: login.user, pass: login.password }, (refusal) => resolve(refusal ?? 'ready'))
    })
    if (signal.aborted) interrupt()
  })
  signal.removeEventListener('abort', interrupt)
  return end ?? connection.lastError ?? new Error('The server closed the connection')
}

/** A session that takes mail. Disposing it says QUIT. */
export class Session implements Disposable {
  readonly remoteMta: string
  readonly #connection: Connection
  readonly #limits: TransactionLimits

  constructor(connection: Connection, server: Reached, limits: TransactionLimits) {
    this.#connection = connection
    this.#limits = limits
    this.remoteMta = `${server.hostname}[${server.address}]`
  }

  /**
   * Offers a mail to recipients; resolves to what became of each.
   * @throws what reading the content throws, when nobody was sent anything.
   */
  async send(mail: OutboundMail, recipients: Recipient[], signal: AbortSignal): Promise<Map<string, Outcome>> {
    const outcomes = new Map<string, Outcome>()
    const possible = recipients.filter(({ address }) => {
      const fault = capabilityFault(mail, address, this.#capabilities())
      if (fault !== undefined) outcomes.set(address, { ...fault, remoteMta: this.remoteMta })
      return fault === undefined
    })
    for (let from = 0; from < possible.length; from += RECIPIENTS_MOST) {
      const some = possible.slice(from, from + RECIPIENTS_MOST)
      const results = from === 0 ? this.#transact(mail, some, signal) : this.#transactAgain(mail, some, signal)
      for (const [address, outcome] of await results) outcomes.set(address, outcome)
    }
    return outcomes
  }

  async #transact(mail: OutboundMail, recipients: Recipient[], signal: AbortSignal): Promise<Map<string, Outcome>> {
    const tls = this.#tls()
    const { remoteMta } = this
    const results = await transact(this.#connection, mail, recipients, this.#limits, signal)
    const named = [...results].map(([address, result]): [string, Outcome] => [
      address,
      result.kind === 'accepted'
        ? { kind: 'sent', reply: result.reply, remoteMta, ...(tls === undefined ? {} : { tls }) }
        : { ...result, remoteMta },
    ])
    return new Map(named)
  }

  #capabilities() {
    const { extensions, maxSizeBytes, secure } = this.#connection
    return { extensions, maxSizeBytes, isEncrypted: secure }
  }

  /** Once others have been sent the mail, what came of them must be told: no failure of ours may hide it. */
  async #transactAgain(
    mail: OutboundMail,
    recipients: Recipient[],
    signal: AbortSignal,
  ): Promise<Map<string, Outcome>> {
    // A failed reset shows in the transaction.
    await this.#connection.untilEnd<void>((resolve) => this.#connection.reset(() => resolve()))
    try {
      return await this.#transact(mail, recipients, signal)
    } catch (error) {
      const failure = deferred('4.3.0', `The mail could not be read: ${(error as Error).message}`)
      return new Map(recipients.map(({ address }) => [address, failure]))
    }
  }

  #tls(): string | undefined {
    const { socket } = this.#connection
    if (!(socket instanceof TLSSocket)) return undefined
    return `${socket.getProtocol()} ${socket.getCipher().standardName}`
  }

  [Symbol.dispose](): void {
    if (this.#connection.destroyed) return
    this.#connection.quit()
    this.#connection.socket.setTimeout(FAREWELL_MS)
  }
}
