// The decisions of a submission session, in the order in which a client asks for them.
import { domainOf } from '@sekimori/mail/address'
import type { Decisions } from '@sekimori/smtp/listener'
import { completeRecipient } from '@sekimori/smtp/postmaster'
import { SmtpReply } from '@sekimori/smtp/reply'
import { clientAddressOf } from '@sekimori/smtp/session-facts'
import { acceptSubmission } from './accept.ts'
import { authenticate } from './authentication.ts'
import type { Config } from './config.ts'
import type { Ports } from './ports.ts'
import { checkRecipient } from './recipient-policy.ts'
import { checkMailFrom, requireAccount } from './sender-policy.ts'
import { checkMailLimits, checkRecipientLimits } from './sending-limit.ts'
import { checkSending } from './sending-policy.ts'

/** AUTH, MAIL, RCPT and DATA for accounts; nothing is taken without a login (RFC 6409 section 4.3). */
export function submissionDecisions(config: Config, ports: Ports): Decisions {
  return {
    authenticate: (auth, session) => authenticate(auth, clientAddressOf(session), ports),
    isFlood: (clientAddress) => ports.admission.isFlood(clientAddress),
    async connect(session) {
      const refusal = ports.admission.admit(session.id, clientAddressOf(session))
      if (refusal !== undefined) throw new SmtpReply(421, '4.7.0', refusal)
    },
    closed: (session) => ports.admission.leave(session.id),
    async mailFrom(address, session) {
      const account = requireAccount(session.user)
      checkMailFrom(account, address.address)
      await ports.mailFirst(async () => {
        await checkSending(account, ports)
        await checkMailLimits(account, address, ports)
      })
    },
    async recipient(address, session) {
      const account = requireAccount(session.user)
      await ports.mailFirst(async () => {
        await checkRecipientLimits(account, session.envelope.rcptTo.length + 1, ports)
        const recipient = completeRecipient(address.address, domainOf(account.address))
        await checkRecipient(ports, recipient, account.address)
      })
    },
    data: async (stream, session) => acceptSubmission(stream, session, requireAccount(session.user), config, ports),
  }
}
