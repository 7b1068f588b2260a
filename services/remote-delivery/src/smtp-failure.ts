// What an error of nodemailer's connection, or the end of our patience, means for the recipients.
import { deferred, type Failure, rejected, replyFailure, type Step } from './outcome.ts'

/** As nodemailer makes them: `response` is the reply, when there was one, to `command`. */
export interface SmtpError extends Error {
  code?: string
  response?: string
  command?: string
  /** The code of the system or of OpenSSL. */
  originalCode?: string
}

/** Classifies an error: by the server's reply, or without one by where the dialogue broke off. */
export function smtpFailure(error: SmtpError): Failure {
  if (error.response) return replyFailure(error.response, stepOf(error))
  switch (error.code) {
    case 'ETIMEDOUT':
      return deferred('4.4.2', `The server did not answer in time: ${error.message}`)
    case 'ECONNECTION':
    case 'ESOCKET':
      return deferred('4.4.2', `The connection was lost: ${error.message}`)
    case 'ETLS':
      return deferred('4.7.5', `TLS failed: ${error.message}`)
    case 'EAUTH':
      return deferred('4.7.0', 'The login failed')
    case 'EREQUIRETLS':
      return rejected('5.7.30', error.message)
    case 'EPROTOCOL':
      return deferred('4.5.0', `The server broke the protocol: ${error.message}`)
    default:
      return deferred('4.3.0', error.message)
  }
}

/** What the end of a connection means that came without an answer. */
export function lostConnection(lastError: SmtpError | undefined): Failure {
  return lastError === undefined ? deferred('4.4.2', 'The server closed the connection') : smtpFailure(lastError)
}

/** Why an attempt was broken off by ourselves. */
export function interruption(signal: AbortSignal): Failure {
  const isTooLong = signal.reason instanceof DOMException && signal.reason.name === 'TimeoutError'
  return isTooLong
    ? deferred('4.4.2', 'The attempt took too long')
    : deferred('4.3.2', 'The attempt was interrupted on our side')
}

function stepOf({ command = '', code }: SmtpError): Step {
  if (command.startsWith('AUTH')) return 'AUTH'
  switch (command) {
    case 'MAIL FROM':
      return 'MAIL'
    case 'RCPT TO':
      return 'RCPT'
    case 'DATA':
      return code === 'EMESSAGE' ? 'message' : 'DATA'
    case 'STARTTLS':
      return 'STARTTLS'
    case 'EHLO':
    case 'HELO':
      return 'EHLO'
  }
  return 'greeting'
}
