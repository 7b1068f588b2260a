// Whom an account may write to: anybody outside, and the addresses that exist here.
import { domainOf, isDomainName } from '@sekimori/mail/address'
import { SmtpReply } from '@sekimori/smtp/reply'
import type { Directory } from '@sekimori/store/directory'

/** @throws SmtpReply for an address that can't be delivered to. */
export async function checkRecipient(directory: Directory, recipient: string): Promise<void> {
  if (!isDomainName(domainOf(recipient))) throw new SmtpReply(553, '5.1.3', 'Recipient address needs a valid domain')
  const found = await directory.lookup(recipient)
  if (found.kind === 'unknown') throw new SmtpReply(550, '5.1.1', 'No such address here')
}
