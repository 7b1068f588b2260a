// The syntax of an AUTH exchange (RFC 4954 section 4): what is no base64, or comes at the wrong time, is told apart from
// a wrong password.
import { SmtpReply } from './reply.ts'

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Checks the AUTH command itself. @throws SmtpReply */
export function checkAuthCommand(command: string, isInTransaction: boolean): void {
  const [, mechanism, initialResponse, ...more] = command.trim().split(/ +/)
  if (isInTransaction) throw new SmtpReply(503, '5.5.1', 'AUTH is not possible within a mail transaction')
  if (mechanism === undefined || more.length > 0) throw new SmtpReply(501, '5.5.4', 'Syntax: AUTH mechanism')
  // "=" is an empty initial response.
  if (initialResponse !== undefined && initialResponse !== '=') checkBase64(initialResponse)
}

/** Checks a line that answers a challenge. @throws SmtpReply; the exchange is over then. */
export function checkAuthResponse(line: string): void {
  if (line === '*') throw new SmtpReply(501, '5.7.0', 'Authentication cancelled')
  checkBase64(line)
}

function checkBase64(text: string): void {
  if (!BASE64.test(text)) throw new SmtpReply(501, '5.5.2', 'Cannot base64-decode the response')
}
