// Port 25 takes mail for local recipients only; who is not here is refused in the session, so that nobody gets a bounce.
import { SmtpReply } from '@sekimori/smtp/reply'
import type { Directory } from '@sekimori/store/directory'

/** @throws SmtpReply 550 5.7.1 for a foreign domain (no relaying), 550 5.1.1 for an address that does not exist. */
export async function checkRecipient(directory: Directory, recipient: string): Promise<void> {
  const found = await directory.lookup(recipient)
  switch (found.kind) {
    case 'account':
    case 'list':
      return
    case 'foreign':
      throw new SmtpReply(550, '5.7.1', 'Relaying is not allowed here')
    case 'unknown':
      throw new SmtpReply(550, '5.1.1', 'No such address here')
  }
}
