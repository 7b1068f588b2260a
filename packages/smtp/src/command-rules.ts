// Which commands are run at all, and in which company (RFC 5321 section 4.1.1, RFC 2920): what is said about a line before
// its own handler sees it.
import { SmtpReply } from './reply.ts'

/** A reply that the session ends with. */
export class LastReply extends SmtpReply {
  override name = 'LastReply'
}

/** Their replies change what may follow, so a client has to wait for them (RFC 2920 section 3.1, RFC 4954 section 4). */
const LAST_IN_GROUP = new Set(['HELO', 'EHLO', 'DATA', 'AUTH', 'VRFY', 'EXPN'])
const BRINGS_MAIL = new Set(['MAIL', 'RCPT', 'DATA', 'QUIT'])
const WITHOUT_ARGUMENT = new Set(['DATA', 'RSET', 'QUIT'])
/** Commands of the standards that this server knows and does not do (RFC 5321 section 4.2.4). */
const NOT_IMPLEMENTED = new Set(['EXPN', 'TURN', 'ETRN', 'ATRN', 'SEND', 'SOML', 'SAML'])
/** Jokes, and commands by which a client would say who it is, in the library. */
const NOT_OURS = new Set(['WIZ', 'SHELL', 'KILL', 'XCLIENT', 'XFORWARD'])
/** RFC 5321 section 4.5.3.1.4 with what the extensions add to MAIL and RCPT. */
const LONGEST_COMMAND = 2_048

export function isOurs(verb: string): boolean {
  return !NOT_OURS.has(verb)
}

export function bringsMail(verb: string): boolean {
  return BRINGS_MAIL.has(verb)
}

/** Checks a command; `hasMore`: octets stand behind it already. @throws SmtpReply */
export function checkCommand(line: Buffer, verb: string, hasMore: boolean): void {
  if (line.length > LONGEST_COMMAND && verb !== 'AUTH') throw new SmtpReply(500, '5.5.2', 'Line too long')
  if (LAST_IN_GROUP.has(verb) && hasMore)
    throw new LastReply(554, '5.5.0', `${verb} must be the last command before a reply is awaited`)
  // What follows BDAT are octets of content, which must never be taken for commands.
  if (verb === 'BDAT') throw new LastReply(502, '5.5.1', 'CHUNKING is not offered here')
  if (NOT_IMPLEMENTED.has(verb)) throw new SmtpReply(502, '5.5.1', 'Command not implemented')
  if (WITHOUT_ARGUMENT.has(verb) && line.length > verb.length) throw new SmtpReply(501, '5.5.4', `Syntax: ${verb}`)
}

/** White space at the end of a command means nothing (RFC 5321 section 4.1.1). */
export function withoutTrailingSpace(line: Buffer): Buffer {
  let end = line.length
  while (end > 0 && (line[end - 1] === 0x20 || line[end - 1] === 0x09)) end--
  return line.subarray(0, end)
}
