// Whom an account may write to: anybody outside, and the addresses that exist here.
import { domainOf, isDomainName } from '@sekimori/mail/address'
import { SmtpReply } from '@sekimori/smtp/reply'
import type { Directory, ListFound } from '@sekimori/store/directory'
import { refusalText } from '@sekimori/store/list-expansion'

export interface RecipientPorts {
  directory: Directory
  mayPost(list: ListFound, sender: string): Promise<boolean>
}

/** @throws SmtpReply for an address that can't be delivered to, or a list that is closed to the account. */
export async function checkRecipient(
  { directory, mayPost }: RecipientPorts,
  recipient: string,
  account: string,
): Promise<void> {
  if (!isDomainName(domainOf(recipient))) throw new SmtpReply(553, '5.1.3', 'Recipient address needs a valid domain')
  const found = await directory.lookup(recipient)
  if (found.kind === 'unknown') throw new SmtpReply(550, '5.1.1', 'No such address here')
  if (found.kind === 'list' && found.posting !== undefined && !(await mayPost(found, account)))
    throw new SmtpReply(550, '5.7.1', refusalText(found))
}
