// The decisions of a session with another mail server: no AUTH, local recipients only.
import { normalizeAddress } from '@sekimori/mail/address'
import type { Decisions } from '@sekimori/smtp/listener'
import { completeRecipient } from '@sekimori/smtp/postmaster'
import { SmtpReply } from '@sekimori/smtp/reply'
import { clientAddressOf } from '@sekimori/smtp/session-facts'
import type { SMTPServerSession } from 'smtp-server'
import { acceptInbound } from './accept.ts'
import type { Config } from './config.ts'
import { checkSamePolicy } from './enforcement.ts'
import type { Ports } from './ports.ts'
import { checkRecipient, type RecipientFacts } from './recipient-policy.ts'
import { screenClient, screenRecipient } from './screening.ts'

export function inboundDecisions(config: Config, ports: Ports): Decisions {
  return {
    async connect(session) {
      const refusal = ports.admission.admit(session.id, clientAddressOf(session))
      if (refusal !== undefined) throw new SmtpReply(421, '4.7.0', refusal)
    },
    closed: (session) => ports.admission.leave(session.id),
    // Any reverse-path is taken, the null one too, unless its client is refused: who a sender really is, is verified and recorded by a later stage.
    mailFrom: (_address, session) => screenClient(session, config, ports),
    recipient: async (address, session) => {
      const facts = factsOf(address.address, session, config)
      await checkRecipient(facts, ports)
      await checkSamePolicy(ports, address.address, session.envelope.rcptTo[0]?.address)
      await screenRecipient(session, facts, config, ports)
    },
    data: (stream, session) => acceptInbound(stream, session, config, ports),
  }
}

function factsOf(recipient: string, { envelope }: SMTPServerSession, config: Config): RecipientFacts {
  const { mailFrom } = envelope
  const size = mailFrom === false ? 0 : Number((mailFrom.args as { SIZE?: string } | undefined)?.SIZE ?? 0)
  return {
    recipient: completeRecipient(recipient, config.MAIL_HOSTNAME),
    mailFrom: mailFrom === false ? '' : normalizeAddress(mailFrom.address),
    sizeBytes: Number.isSafeInteger(size) ? size : 0,
  }
}
