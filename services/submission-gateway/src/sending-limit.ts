// How much an account may send: looked at where a client can still do something about it, counted when the mail is taken.

import type { Account } from '@sekimori/login/login'
import { limitRefusals } from '@sekimori/runtime/metrics'
import { tooLarge } from '@sekimori/smtp/receive'
import { SmtpReply } from '@sekimori/smtp/reply'
import type { SendingLimits } from '@sekimori/store/sending-limit'
import type { Spending, UsageKind } from '@sekimori/store/usage-counter'
import type { SMTPServerAddress } from 'smtp-server'
import type { Ports } from './ports.ts'

type LimitPorts = Pick<Ports, 'sendingLimits' | 'usage'>

/** MAIL: another mail, of the size that was declared (RFC 1870 section 6.1). @throws SmtpReply */
export async function checkMailLimits(account: Account, { args }: SMTPServerAddress, ports: LimitPorts): Promise<void> {
  const limits = await ports.sendingLimits(account.address)
  const sizeBytes = args !== false && typeof args.SIZE === 'string' ? Number(args.SIZE) : 0
  if (sizeBytes > limits.maxMessageBytes) throw tooLarge(limits.maxMessageBytes)
  checkKnown(spendingsOf(account, limits, 1, sizeBytes), ports)
}

/** RCPT: the mail with one recipient more. @throws SmtpReply */
export async function checkRecipientLimits(account: Account, recipients: number, ports: LimitPorts): Promise<void> {
  checkKnown(spendingsOf(account, await ports.sendingLimits(account.address), recipients, 0), ports)
}

/** Counts a mail that is about to be read; resolves to its largest size. @throws SmtpReply; then nothing is counted. */
export async function spendMail(account: Account, recipients: number, ports: LimitPorts): Promise<number> {
  const limits = await ports.sendingLimits(account.address)
  const refused = await ports.usage.spend(spendingsOf(account, limits, recipients, 0))
  if (refused !== undefined) throw limitReached(refused)
  return limits.maxMessageBytes
}

/** Counts the octets of a mail that was accepted: they stand against the next one. */
export function countBytes({ address }: Account, sizeBytes: number, { usage }: LimitPorts): void {
  usage.note('bytes-day', address, sizeBytes)
}

function spendingsOf({ address }: Account, limits: SendingLimits, recipients: number, sizeBytes: number): Spending[] {
  return [
    { kind: 'mails-hour', subject: address, amount: 1, limit: limits.mailsPerHour },
    { kind: 'recipients-hour', subject: address, amount: recipients, limit: limits.recipientsPerHour },
    { kind: 'recipients-day', subject: address, amount: recipients, limit: limits.recipientsPerDay },
    { kind: 'bytes-day', subject: address, amount: sizeBytes, limit: limits.bytesPerDay },
  ]
}

/** Looks at what this process knows, without a question to the database. */
function checkKnown(spendings: Spending[], { usage }: LimitPorts): void {
  const over = spendings.find(({ kind, subject, amount, limit }) => usage.used(kind, subject) + amount > limit)
  if (over !== undefined) throw limitReached(over)
}

const NAMES: Record<UsageKind, string> = {
  'mails-hour': 'mails an hour',
  'recipients-hour': 'recipients an hour',
  'recipients-day': 'recipients a day',
  'bytes-day': 'octets a day',
  'connections-minute': 'connections a minute',
}

function limitReached({ kind, limit }: Spending): SmtpReply {
  limitRefusals.inc({ limit: kind })
  return new SmtpReply(450, '4.7.1', `Your limit of ${limit} ${NAMES[kind]} is reached, please try again later`)
}
