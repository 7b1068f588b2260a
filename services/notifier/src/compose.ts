// Builds notices as mail: null reverse-path, Auto-Submitted, from MAILER-DAEMON of the addressee's own domain.
import { domainOf } from '@sekimori/mail/address'
import { mailDate } from '@sekimori/mail/date'
import type { Job } from '@sekimori/mail/job'
import type { FailedRecipient, NoticeHeader } from '@sekimori/mail/notice'
import MimeNode from 'nodemailer/lib/mime-node'
import type { NoticeText } from './warning-text.ts'

const NAMES = { ja: 'メール配送システム', en: 'Mail Delivery System' }

export interface Addressee {
  address: string
  locale: 'ja' | 'en'
}

/**
 * A plain notice (virus warning) as a job for the signer. `queueId` must be derived, so that a repetition is the same
 * mail. `warningOf` names the mail that it warns of: such a notice may still be suspended on its way.
 */
export async function warningJob(
  queueId: string,
  hostname: string,
  addressee: Addressee,
  text: NoticeText,
  warningOf?: string,
): Promise<Job> {
  const job = await noticeJob(plainNode(text), queueId, hostname, addressee, text.subject, 'auto-replied')
  return warningOf === undefined ? job : { ...job, warning: { queueId: warningOf } }
}

/** A summary of warnings that were left out; it answers no single mail (RFC 3834), and can be suspended as they can. */
export async function summaryJob(
  queueId: string,
  hostname: string,
  addressee: Addressee,
  text: NoticeText,
): Promise<Job> {
  const job = await noticeJob(plainNode(text), queueId, hostname, addressee, text.subject, 'auto-generated')
  return { ...job, warning: { queueId } }
}

/** A notice that belongs to no mail. */
export function plainJob(queueId: string, hostname: string, addressee: Addressee, text: NoticeText): Promise<Job> {
  return noticeJob(plainNode(text), queueId, hostname, addressee, text.subject, 'auto-generated')
}

function plainNode(text: NoticeText): MimeNode {
  const node = new MimeNode('text/plain; charset=utf-8')
  node.setContent(crlf(text.body))
  return node
}

type Undelivered = Extract<NoticeHeader, { kind: 'undelivered' }>

/** A delivery status notification (RFC 3462, RFC 3464): words, machine-readable part, the original or its header. */
export async function dsnJob(
  queueId: string,
  hostname: string,
  addressee: Addressee,
  text: NoticeText,
  notice: Undelivered,
  original: Buffer,
): Promise<Job> {
  const node = new MimeNode('multipart/report; report-type=delivery-status')
  node.createChild('text/plain; charset=utf-8').setContent(crlf(text.body))
  node.createChild('message/delivery-status').setContent(deliveryStatus(hostname, notice))
  if (notice.isWhole) node.createChild('message/rfc822').setContent(original)
  else node.createChild('text/rfc822-headers').setContent(inAscii(original))
  return noticeJob(node, queueId, hostname, addressee, text.subject, 'auto-replied', notice.job.messageId)
}

function inAscii(head: Buffer): string {
  return head.toString('latin1').replace(/[^\t\r\n\x20-\x7e]/g, '?')
}

function deliveryStatus(hostname: string, { action, recipients, job }: Undelivered): string {
  const perMessage = [
    `Reporting-MTA: dns; ${hostname}`,
    ...(job.envelope.envid === undefined ? [] : [`Original-Envelope-Id: ${oneLine(job.envelope.envid)}`]),
    `Arrival-Date: ${mailDate(job.acceptedAt)}`,
  ]
  const perRecipient = (recipient: FailedRecipient) => [
    '',
    ...(recipient.orcpt === undefined ? [] : [`Original-Recipient: ${oneLine(recipient.orcpt)}`]),
    `Final-Recipient: ${typedAddress(recipient.address)}`,
    `Action: ${action}`,
    `Status: ${recipient.status}`,
    ...(recipient.remoteMta === undefined ? [] : [`Remote-MTA: dns; ${oneLine(recipient.remoteMta)}`]),
    `Diagnostic-Code: ${recipient.remoteMta === undefined ? 'X-Sekimori' : 'smtp'}; ${oneLine(recipient.diagnostic)}`,
  ]
  return `${[...perMessage, ...recipients.flatMap(perRecipient)].join('\r\n')}\r\n`
}

async function noticeJob(
  node: MimeNode,
  queueId: string,
  hostname: string,
  addressee: Addressee,
  subject: string,
  autoSubmitted: string,
  references?: string,
): Promise<Job> {
  const now = Date.now()
  const messageId = `<${queueId}@${hostname}>`
  node.setHeader({
    From: {
      name: NAMES[addressee.locale],
      address: `MAILER-DAEMON@${domainOf(addressee.address)}`,
    } as unknown as string,
    To: addressee.address,
    Subject: subject,
    Date: mailDate(now),
    'Message-ID': messageId,
    'Auto-Submitted': autoSubmitted,
    ...(references !== undefined && /^<[\x21-\x7e]{1,500}>$/.test(references) ? { References: references } : {}),
  })
  return {
    queueId,
    direction: 'submission',
    acceptedAt: now,
    messageId,
    envelope: { mailFrom: '', recipients: [{ address: addressee.address }] },
    session: { receivedBy: 'internal' },
    added: [],
    struck: [],
    history: [{ stage: 'notify', at: now, outcome: 'written' }],
    content: { kind: 'inline', bytes: await node.build() },
  }
}

/** RFC 6533 section 3: an address with other letters is written in ASCII here, as the part must be 7bit (RFC 3464 section 2.1). */
function typedAddress(address: string): string {
  if (/^[\x20-\x7e]*$/.test(address)) return `rfc822; ${oneLine(address)}`
  const inAscii = (letter: string) => `\\x{${letter.codePointAt(0)!.toString(16).toUpperCase()}}`
  return `utf-8; ${oneLine(address.replace(/[^\x20-\x7e]|[\\]/gu, inAscii))}`
}

function oneLine(text: string): string {
  return text
    .replace(/[\s\p{Cc}]+/gu, ' ')
    .replace(/[^\x20-\x7e]/gu, '?')
    .slice(0, 900)
}

function crlf(text: string): string {
  return `${text.replace(/\r?\n/g, '\r\n')}\r\n`
}
