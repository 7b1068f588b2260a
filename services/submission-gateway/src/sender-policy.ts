// An authenticated account sends only as addresses that are its own: in the envelope and in the header (RFC 6409 section 6.1).
import { normalizeAddress } from '@sekimori/mail/address'
import { type HeaderField, unfold } from '@sekimori/mail/header'
import { SmtpReply } from '@sekimori/smtp/reply'
import type { Account } from '@sekimori/store/login'
import addressparser from 'nodemailer/lib/addressparser'

/** The account of the session. @throws SmtpReply 530 when nobody has logged in. */
export function requireAccount(user: unknown): Account {
  if (user === undefined || user === null) throw new SmtpReply(530, '5.7.0', 'Authentication required')
  return user as Account
}

/** Checks MAIL FROM; the null reverse-path is allowed (receipts, RFC 8098). @throws SmtpReply */
export function checkMailFrom(account: Account, mailFrom: string): void {
  if (mailFrom === '' || owns(account, mailFrom)) return
  throw new SmtpReply(
    553,
    '5.7.1',
    `You are logged in as ${account.address}; mail from another address is not accepted`,
  )
}

/** Checks every address in From, Sender and their Resent- forms; a field that can't be read is refused. @throws SmtpReply */
export function checkHeaderFrom(account: Account, fields: HeaderField[]): void {
  if (fields.filter((field) => field.name === 'from').length > 1)
    throw new SmtpReply(550, '5.6.0', 'The mail has more than one From field')
  for (const field of fields) {
    if (!['from', 'sender', 'resent-from', 'resent-sender'].includes(field.name)) continue
    const addresses = addressesIn(unfold(field.value))
    if (addresses.length > 0 && addresses.every((address) => owns(account, address))) continue
    throw new SmtpReply(
      550,
      '5.7.1',
      `The ${field.name} field must hold your own address ${account.address} and no other`,
    )
  }
}

function addressesIn(value: string): string[] {
  return addressparser(value, { flatten: true }).map(({ address }) => address)
}

function owns(account: Account, address: string): boolean {
  return normalizeAddress(address) === account.address
}
