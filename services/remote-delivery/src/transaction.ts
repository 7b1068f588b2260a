// One mail transaction (RFC 5321 section 3.3): MAIL, RCPT for some recipients, DATA, and what came of it for each.
import type { Recipient } from '@sekimori/mail/job'
import type { SMTPConnectionEnvelope, SMTPEnvelope } from 'nodemailer/lib/smtp-connection'
import { commandAddress, needsUtf8 } from './capability.ts'
import { rcptParameters, retParameter } from './dsn-parameter.ts'
import { MailSource } from './mail-source.ts'
import type { OutboundMail } from './outbound-mail.ts'
import { deferred, type Failure, type Outcome } from './outcome.ts'
import type { Connection } from './smtp-connection.ts'
import { interruption, lostConnection, type SmtpError, smtpFailure } from './smtp-failure.ts'

export interface TransactionLimits {
  commandTimeoutMs: number
  dataTimeoutMs: number
  dataEndTimeoutMs: number
}

/** What nodemailer notes in the envelope while replies come in. */
type Replies = SMTPConnectionEnvelope & { mailError: SmtpError }

/** Why nothing was sent, or the reply to the whole mail. */
type End = { failure: Failure } | { reply: string }

/**
 * Offers the mail to these recipients; resolves to what became of each. When `signal` aborts, the dialogue is broken
 * off, unless the server may have taken the mail already: then its reply is waited for.
 * @throws what reading the content throws; then nothing was sent.
 */
export async function transact(
  connection: Connection,
  mail: OutboundMail,
  recipients: Recipient[],
  limits: TransactionLimits,
  signal: AbortSignal,
): Promise<Map<string, Outcome | { kind: 'accepted'; reply: string }>> {
  const isUtf8 = recipients.some(({ address }) => needsUtf8(mail, address))
  const shown = (address: string) => commandAddress(address, isUtf8)
  connection.isUtf8 = isUtf8
  connection.rcptParameters = connection.extensions.includes('DSN')
    ? new Map(recipients.map((recipient) => [shown(recipient.address), rcptParameters(recipient)]))
    : new Map()
  const envelope = envelopeFor(
    mail,
    recipients.map(({ address }) => shown(address)),
    isUtf8,
  )
  const end = await send(connection, envelope, mail, limits, signal)
  const { mailError, rejectedErrors = [], accepted = [] } = envelope as Partial<Replies>
  const ofMail = mailError === undefined ? undefined : smtpFailure(mailError)
  const refused = new Map(rejectedErrors.map((error) => [error.recipient, smtpFailure(error as SmtpError)]))
  const outcomes = recipients.map(({ address }) => {
    // When MAIL was refused, what a pipelined RCPT was told is only that there is no MAIL.
    const ofRecipient = ofMail ?? refused.get(shown(address))
    if (ofRecipient !== undefined) return [address, ofRecipient] as const
    if ('failure' in end) return [address, end.failure] as const
    const isAccepted = accepted.includes(shown(address))
    return [address, isAccepted ? { kind: 'accepted' as const, reply: end.reply } : unanswered()] as const
  })
  return new Map(outcomes)
}

function unanswered(): Failure {
  return deferred('4.5.0', 'The server did not answer for this recipient')
}

function envelopeFor({ envelope, sizeBytes }: OutboundMail, to: string[], isUtf8: boolean): SMTPEnvelope {
  const ret = retParameter(envelope.ret)
  return {
    from: commandAddress(envelope.mailFrom, isUtf8),
    to,
    size: sizeBytes,
    use8BitMime: envelope.bodyType?.toLowerCase() === '8bitmime',
    dsn: { ...(ret === undefined ? {} : { ret }), ...(envelope.envid === undefined ? {} : { envid: envelope.envid }) },
    ...(envelope.requireTls === true ? { requireTLSExtensionEnabled: true } : {}),
  }
}

async function send(
  connection: Connection,
  envelope: SMTPEnvelope,
  mail: OutboundMail,
  limits: TransactionLimits,
  signal: AbortSignal,
): Promise<End> {
  if (signal.aborted) return { failure: interruption(signal) }
  const source = new MailSource(mail.open(), {
    onStart: () => connection.socket.setTimeout(limits.dataTimeoutMs),
    onEnd: () => {
      connection.mayHaveTaken = true
      connection.socket.setTimeout(limits.dataEndTimeoutMs)
    },
  })
  connection.socket.setTimeout(limits.commandTimeoutMs)
  const end = await connection.untilEnd<End>((resolve) => {
    const interrupt = () => {
      if (source.isComplete) return
      connection.close() // without the final dot: the server throws away what it has
      resolve({ failure: interruption(signal) })
    }
    signal.addEventListener('abort', interrupt)
    connection.send(envelope, source.stream, (error, info) => {
      signal.removeEventListener('abort', interrupt)
      resolve(error ? { failure: smtpFailure(error) } : { reply: info!.response })
    })
  })
  source.stream.destroy()
  if (source.contentError === undefined) return end ?? { failure: lostConnection(connection.lastError) }
  connection.close()
  throw source.contentError
}
