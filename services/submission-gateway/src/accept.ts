// Taking one submitted mail: received, repaired, queued; 250 only when the broker has it safe.

import type { Account } from '@sekimori/login/login'
import { domainOf } from '@sekimori/mail/address'
import { contentSize } from '@sekimori/mail/content'
import { headerValue } from '@sekimori/mail/header'
import type { Job } from '@sekimori/mail/job'
import { newQueueId } from '@sekimori/mail/queue-id'
import { type ReceivedFacts, receivedLine } from '@sekimori/mail/received'
import { acceptedMails } from '@sekimori/runtime/metrics'
import { completeEnvelope } from '@sekimori/smtp/postmaster'
import { receiveMail } from '@sekimori/smtp/receive'
import { clientAddressOf, envelopeOf, receivedFactsOf } from '@sekimori/smtp/session-facts'
import type { SMTPServerDataStream, SMTPServerSession } from 'smtp-server'
import type { Config } from './config.ts'
import type { Ports } from './ports.ts'
import { messageIdFor, repairHead } from './repair.ts'
import { checkHeaderFrom } from './sender-policy.ts'
import { countBytes, spendMail } from './sending-limit.ts'

/** Takes the mail; resolves to its queue id. @throws SmtpReply when it is refused; then nothing is kept. */
export async function acceptSubmission(
  stream: SMTPServerDataStream,
  session: SMTPServerSession,
  account: Account,
  config: Config,
  ports: Ports,
): Promise<string> {
  const time = Date.now()
  const queueId = newQueueId(time)
  const hostname = config.MAIL_HOSTNAME
  let messageId = messageIdFor({ queueId, hostname })
  const envelope = completeEnvelope(envelopeOf(session), domainOf(account.address))
  const maxMessageBytes = await spendMail(account, envelope.recipients.length, ports)
  const content = await receiveMail(stream, {
    maxMessageBytes: Math.min(maxMessageBytes, config.MAX_MESSAGE_BYTES),
    inlineMaxBytes: config.INLINE_CONTENT_MAX_BYTES,
    repair: (head, fields) => {
      checkHeaderFrom(account, head, fields)
      messageId = headerValue(fields, 'message-id') ?? messageId
      return repairHead(head, fields, { queueId, hostname, accountAddress: account.address, time })
    },
    store: async (input) => ({ id: queueId, sizeBytes: await ports.store(queueId, input) }),
  })
  const job: Job = {
    queueId,
    direction: 'submission',
    acceptedAt: time,
    messageId,
    envelope,
    session: {
      receivedBy: 'submission',
      clientAddress: clientAddressOf(session),
      ehloName: session.hostNameAppearsAs || '',
      account: account.address,
    },
    added: [receivedLine(shownFacts(receivedFactsOf(session, hostname, queueId, time), config))],
    struck: [],
    history: [{ stage: 'submission', at: time, outcome: `accepted ${contentSize(content)} octets` }],
    content,
  }
  await ports.mailFirst(() => ports.publish(job))
  countBytes(account, contentSize(content), ports)
  acceptedMails.inc({ listener: 'submission' })
  return queueId
}

/** Where an account was when it wrote is nobody's business but its provider's, unless the operator wants it shown. */
function shownFacts(facts: ReceivedFacts, { CLIENT_ADDRESS }: Config): ReceivedFacts {
  if (CLIENT_ADDRESS !== 'hide') return facts
  const { clientAddress: _, ...shown } = facts
  return shown
}
