// Taking one mail from another server: kept as it came, queued; 250 only when the broker has it safe.
import { contentSize } from '@sekimori/mail/content'
import { headerValue } from '@sekimori/mail/header'
import type { Job } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import { receivedLine } from '@sekimori/mail/received'
import { acceptedMails } from '@sekimori/runtime/metrics'
import { completeEnvelope } from '@sekimori/smtp/postmaster'
import { receiveMail } from '@sekimori/smtp/receive'
import { SmtpReply } from '@sekimori/smtp/reply'
import { clientAddressOf, envelopeOf, receivedFactsOf } from '@sekimori/smtp/session-facts'
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server'
import type { Config } from './config.ts'
import { enforceDmarc } from './enforcement.ts'
import type { Ports } from './ports.ts'
import { screeningLine } from './screening.ts'

/** More Received fields than this are a loop (RFC 5321 section 6.3 asks for at least 100). */
const MOST_HOPS = 100

/** Takes the mail; resolves to its queue id. @throws SmtpReply when it is refused; then nothing is kept. */
export async function acceptInbound(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  config: Config,
  ports: Ports,
): Promise<string> {
  const time = Date.now()
  const queueId = newQueueId(time)
  let messageId: string | undefined
  const content = await receiveMail(stream, {
    maxMessageBytes: config.MAX_MESSAGE_BYTES,
    inlineMaxBytes: config.INLINE_CONTENT_MAX_BYTES,
    repair: (head, fields) => {
      if (fields.filter((field) => field.name === 'received').length > MOST_HOPS)
        throw new SmtpReply(554, '5.4.6', 'Mail loop: too many Received fields')
      messageId = headerValue(fields, 'message-id')
      return head
    },
    store: async (input) => ({ id: queueId, sizeBytes: await ports.store(queueId, input) }),
  })
  const screening = await screeningLine(session, config, ports)
  const job: Job = {
    queueId,
    direction: 'inbound',
    acceptedAt: time,
    ...(messageId === undefined ? {} : { messageId }),
    envelope: completeEnvelope(envelopeOf(session), config.MAIL_HOSTNAME),
    session: { receivedBy: 'mx', clientAddress: clientAddressOf(session), ehloName: session.hostNameAppearsAs || '' },
    added: [
      receivedLine(receivedFactsOf(session, config.MAIL_HOSTNAME, queueId, time)),
      ...(screening === undefined ? [] : [screening.line]),
    ],
    struck: [],
    history: [
      {
        stage: 'mx',
        at: time,
        outcome: `accepted ${contentSize(content)} octets${screening === undefined ? '' : `; ${screening.text}`}`,
      },
    ],
    content,
  }
  await ports.publish(await enforceDmarc(job, ports))
  acceptedMails.inc({ listener: 'mx' })
  return queueId
}
