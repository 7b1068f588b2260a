// Reports as mail: DMARC aggregate reports (RFC 9990) and SMTP TLS reports (RFC 8460 section 5.3). From our own
// domain, so that they are signed in its name, and with the null reverse-path, so that nothing answers them.
import { mailDate } from '@sekimori/mail/date'
import type { Job } from '@sekimori/mail/job'
import { derivedQueueId } from '@sekimori/mail/queue-id'
import type { ReportKind } from '@sekimori/store/report-plan'
import MimeNode from 'nodemailer/lib/mime-node'
import type { ReportFacts } from './report-facts.ts'

/** A report as a file, compressed. */
export interface ReportFile {
  kind: ReportKind
  bytes: Buffer
}

const MEDIA_TYPE = { dmarc: 'application/gzip', tls: 'application/tlsrpt+gzip' }
const CONTAINER = { dmarc: 'multipart/mixed', tls: 'multipart/report; report-type=tlsrpt' }
const WORDS = { dmarc: 'DMARC aggregate report', tls: 'SMTP TLS report' }

/** `receiver!domain!begin!end`, with the extension of the kind. */
export function reportFileName(
  kind: ReportKind,
  { organization, policyDomain, beginSeconds, endSeconds }: ReportFacts,
): string {
  const extension = { dmarc: 'xml.gz', tls: 'json.gz' }[kind]
  return `${organization}!${policyDomain}!${beginSeconds}!${endSeconds}.${extension}`
}

/** The queue id of the mail to a destination, always the same. */
export function reportQueueId({ queueId }: ReportFacts, destination: string): string {
  return derivedQueueId(queueId, destination)
}

export async function reportJob(
  { kind, bytes }: ReportFile,
  facts: ReportFacts,
  address: string,
  destination: string,
): Promise<Job> {
  const now = Date.now()
  const queueId = reportQueueId(facts, destination)
  const messageId = `<${queueId}@${facts.organization}>`
  const node = new MimeNode(CONTAINER[kind], { baseBoundary: queueId })
  node.setHeader(headersOf(kind, facts, address, messageId, now))
  node.createChild('text/plain; charset=utf-8').setContent(text(kind, facts))
  const file = node.createChild(MEDIA_TYPE[kind], { filename: reportFileName(kind, facts) })
  file.setHeader('Content-Disposition', 'attachment')
  file.setContent(bytes)
  return {
    queueId,
    direction: 'submission',
    acceptedAt: now,
    messageId,
    envelope: { mailFrom: '', recipients: [{ address }] },
    session: { receivedBy: 'internal' },
    added: [],
    struck: [],
    history: [{ stage: 'report', at: now, outcome: 'written' }],
    content: { kind: 'inline', bytes: await node.build() },
  }
}

function headersOf(kind: ReportKind, facts: ReportFacts, address: string, messageId: string, now: number) {
  const { policyDomain, organization, contact, reportId } = facts
  // What is wrong with the encryption must not keep the news of it back (RFC 8460 section 3).
  const ofTls = {
    'TLS-Report-Domain': policyDomain,
    'TLS-Report-Submitter': organization,
    'TLS-Required': 'No',
  }
  return {
    From: contact,
    To: address,
    Subject: `Report Domain: ${policyDomain} Submitter: ${organization} Report-ID: <${reportId}>`,
    Date: mailDate(now),
    'Message-ID': messageId,
    'Auto-Submitted': 'auto-generated',
    ...(kind === 'tls' ? ofTls : {}),
  }
}

function text(kind: ReportKind, { policyDomain, organization, contact, beginSeconds }: ReportFacts): string {
  const day = new Date(beginSeconds * 1_000).toISOString().slice(0, 10)
  return [
    `This is the ${WORDS[kind]} of ${organization} about ${policyDomain} for ${day} (UTC).`,
    `It was asked for by a DNS record of ${policyDomain}. Contact: ${contact}`,
    '',
  ].join('\r\n')
}
