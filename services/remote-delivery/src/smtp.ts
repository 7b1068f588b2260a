// Opening a session with a remote server, by nodemailer over a socket that is connected: greeting, EHLO, STARTTLS, AUTH
// (RFC 5321 section 3.1, RFC 3207, RFC 4954).
import type { Reached } from './mx.ts'
import { type Failure, rejected } from './outcome.ts'
import { FAREWELL_MS, Session } from './session.ts'
import { Connection } from './smtp-connection.ts'
import { interruption, type SmtpError, smtpFailure } from './smtp-failure.ts'
import type { TransactionLimits } from './transaction.ts'

export interface SmtpOptions extends TransactionLimits {
  ehloName: string
  greetingTimeoutMs: number
  login?: { user: string; password: string }
}

/**
 * none: not even when offered. opportunistic: when offered, with any certificate. encrypted: with any certificate, for the
 * caller to look at. required (STARTTLS) and implicit: with a certificate that fits the server's name.
 */
export type TlsMode = 'none' | 'opportunistic' | 'encrypted' | 'required' | 'implicit'

/** `isOfTls`: it was STARTTLS that went wrong, or what followed it; `offersTls`: the server offered it. */
export type Opened =
  | { kind: 'open'; session: Session }
  | { kind: 'failed'; failure: Failure; isOfTls: boolean; offersTls: boolean }

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
  const isOurselves = connection.greetingName === options.ehloName.toLowerCase()
  if (error === 'ready' && !isOurselves) return { kind: 'open', session }
  connection.close()
  if (error === 'ready')
    return { kind: 'failed', failure: looping(session.remoteMta), isOfTls: false, offersTls: false }
  const failure = signal.aborted ? interruption(signal) : smtpFailure(namedTlsError(error, connection))
  return {
    kind: 'failed',
    failure: { ...failure, remoteMta: session.remoteMta },
    isOfTls: connection.lastCommand === 'STARTTLS',
    offersTls: connection.offersTls,
  }
}

/** What greets with our own name is this system: it would send the mail here again. */
function looping(remoteMta: string): Failure {
  return { ...rejected('5.4.6', 'The mail loops: the server greets with our own name'), remoteMta }
}

function tlsOptions(mode: TlsMode) {
  switch (mode) {
    case 'none':
      return { ignoreTLS: true }
    case 'opportunistic':
      return { opportunisticTLS: true, tls: { rejectUnauthorized: false } }
    case 'encrypted':
      return { requireTLS: true, tls: { rejectUnauthorized: false } }
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
  return end ?? connection.lastError ?? Object.assign(new Error('closed by the server'), { code: 'ECONNECTION' })
}
