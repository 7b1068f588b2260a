// An account from which too much infected mail came sends nothing until an operator lifts that.

import type { Account } from '@sekimori/login/login'
import { SmtpReply } from '@sekimori/smtp/reply'
import type { Ports } from './ports.ts'

/** Checks the account as it is now: it may have been stopped, or removed, since the login. @throws SmtpReply */
export async function checkSending({ address }: Account, { sendingState }: Pick<Ports, 'sendingState'>): Promise<void> {
  switch (await sendingState(address)) {
    case 'allowed':
      return
    case 'stopped':
      throw new SmtpReply(
        550,
        '5.7.1',
        `Sending is stopped for ${address}: its mails were infected with viruses. Check your device for viruses, then contact your provider`,
      )
    case 'gone':
      throw new SmtpReply(550, '5.7.1', `There is no account ${address} any more`)
  }
}
