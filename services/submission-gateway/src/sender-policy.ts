// An authenticated account sends only as addresses that are its own: in the envelope and in the header (RFC 6409 section 6.1).

import type { Account } from '@sekimori/login/login'
import { normalizeAddress } from '@sekimori/mail/address'
import { type HeaderField, unfold } from '@sekimori/mail/header'
import { SmtpReply } from '@sekimori/smtp/reply'
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

const SENDER_FIELDS = ['from', 'sender', 'resent-from', 'resent-sender']
/** Longer than any real one; parsing a longer one costs too much. */
const LONGEST_FIELD = 8_192
/** A bare CR ends a line for some mail clients, so what follows it may be a field of its own to them. */
const HIDDEN_FIELD = /\r(?!\n)[ \t]*(?:resent-)?(?:from|sender)[ \t]*:/i

/**
 * Checks every address in From, Sender and their Resent- forms; a field that can't be read, or that others may read in
 * another way, is refused. @throws SmtpReply
 */
export function checkHeaderFrom(account: Account, head: Buffer, fields: HeaderField[]): void {
  if (/^[ \t]/.test(head.toString('latin1', 0, 1)) || HIDDEN_FIELD.test(head.toString('latin1')))
    throw new SmtpReply(550, '5.6.0', 'The header section of the mail is malformed')
  if (fields.filter((field) => field.name === 'from').length > 1)
    throw new SmtpReply(550, '5.6.0', 'The mail has more than one From field')
  for (const { name, value } of fields) {
    if (!SENDER_FIELDS.includes(name) || holdsOnlyOwn(account, value)) continue
    throw new SmtpReply(550, '5.7.1', `The ${name} field must hold your own address ${account.address} and no other`)
  }
}

function holdsOnlyOwn(account: Account, value: string): boolean {
  const text = unfold(value)
  if (value.length > LONGEST_FIELD || CONTROL.test(text)) return false
  const addresses = [...addressesIn(text), ...angledIn(text)]
  return addresses.length > 0 && addresses.every((address) => owns(account, address))
}

const CONTROL = /[^\P{Cc}\t]/u

/** All that stands in angle brackets outside of quotes: of several, mail clients show different ones. */
function angledIn(text: string): string[] {
  const unquoted = text.replace(/"(?:[^"\\]|\\.)*"/g, '""')
  return [...unquoted.matchAll(/<([^>]*)/g)].map(([, inside = '']) => inside.replace(/^@[^:]*:/, '').replace(/\s/g, ''))
}

function addressesIn(value: string): string[] {
  return addressparser(value, { flatten: true }).map(({ address }) => address)
}

function owns(account: Account, address: string): boolean {
  return normalizeAddress(address) === account.address
}
