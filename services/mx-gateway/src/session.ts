// The decisions of a session with another mail server: no AUTH, local recipients only.
import type { Decisions } from '@sekimori/smtp/listener'
import { acceptInbound } from './accept.ts'
import type { Config } from './config.ts'
import type { Ports } from './ports.ts'
import { checkRecipient } from './recipient-policy.ts'

export function inboundDecisions(config: Config, ports: Ports): Decisions {
  return {
    // Any reverse-path is taken, the null one too: who a sender really is, is verified and recorded by a later stage.
    async mailFrom() {},
    recipient: (address) => checkRecipient(ports.directory, address.address),
    data: (stream, session) => acceptInbound(stream, session, config, ports),
  }
}
