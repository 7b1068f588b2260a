// Port 25 takes mail for local recipients only; who is not here, may not get this mail or has no room for it is refused in
// the session, so that nobody gets a bounce.

import { SmtpReply } from '@sekimori/smtp/reply'
import type { Lookup, Member } from '@sekimori/store/directory'
import { refusalText } from '@sekimori/store/list-expansion'
import { Resolution } from '@sekimori/store/resolution'
import type { RecipientPorts } from './ports.ts'

/** `mailFrom` is normalised; `sizeBytes` is what the client announced (RFC 1870), 0 when it did not. */
export interface RecipientFacts {
  recipient: string
  mailFrom: string
  sizeBytes: number
}

/**
 * @throws SmtpReply 550 5.7.1 for a foreign domain (no relaying) or a list that is closed to the sender, 550 5.1.1 for an
 * address that does not exist, 452 4.2.2 for a full maildrop, 552 5.2.2 for a mail that is larger than all of one.
 */
export async function checkRecipient(facts: RecipientFacts, ports: RecipientPorts): Promise<void> {
  const found = await ports.directory.lookup(facts.recipient)
  switch (found.kind) {
    case 'account':
      return checkRoom([found], facts.sizeBytes, ports)
    case 'list':
      if (await ports.mayPost(found, facts.mailFrom)) return
      throw new SmtpReply(550, '5.7.1', refusalText(found))
    case 'alias':
      return checkAlias(found, facts, ports)
    case 'foreign':
      throw new SmtpReply(550, '5.7.1', 'Relaying is not allowed here')
    case 'unknown':
      return checkRewrittenSender(facts, ports)
  }
}

/** An alias that leads nowhere is no address; one that leads to full maildrops only is full. */
async function checkAlias(
  { address }: Extract<Lookup, { kind: 'alias' }>,
  { sizeBytes, mailFrom }: RecipientFacts,
  ports: RecipientPorts,
): Promise<void> {
  const resolution = new Resolution({ lookup: ports.directory.lookup })
  await resolution.add(address)
  const members: Member[] = []
  let hasOtherEnd = false
  for (const end of resolution.take()) {
    if (end.kind === 'dead') throw new SmtpReply(550, '5.1.1', 'No such address here')
    if (end.kind === 'maildrop') members.push(end.member)
    else if (end.kind === 'list') hasOtherEnd ||= await ports.mayPost(end.list, mailFrom)
    else if (end.kind === 'outside') hasOtherEnd = true
  }
  if (!hasOtherEnd) await checkRoom(members, sizeBytes, ports)
}

/** Whether one of the maildrops, at least, has room. */
async function checkRoom(members: Member[], sizeBytes: number, { full }: RecipientPorts): Promise<void> {
  const limits = members.map(({ quotaBytes }) => quotaBytes)
  if (members.length === 0 || limits.includes(undefined)) return
  if (limits.every((limit) => limit! < sizeBytes))
    throw new SmtpReply(552, '5.2.2', 'The mail is larger than the mailbox')
  // An announced size is the sender's word; that there is no room at all is a fact.
  if ((await full(members, Math.max(sizeBytes, 1))).size === members.length)
    throw new SmtpReply(452, '4.2.2', 'The mailbox is full')
}

/** A bounce to mail that was forwarded from here; nothing else is taken for an address of somebody outside. */
async function checkRewrittenSender(
  { recipient, mailFrom }: RecipientFacts,
  { reverseSender }: RecipientPorts,
): Promise<void> {
  const { kind } = await reverseSender(recipient)
  switch (kind) {
    case 'reversed':
      if (mailFrom === '') return
      throw new SmtpReply(550, '5.7.1', 'This address takes delivery reports only')
    case 'expired':
      throw new SmtpReply(550, '5.7.1', 'This address has expired')
    case 'forged':
      throw new SmtpReply(550, '5.7.1', 'This address was not made here')
    case 'none':
      throw new SmtpReply(550, '5.1.1', 'No such address here')
  }
}
