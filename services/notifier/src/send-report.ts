// One report: to whom it may go, what is in it, and each of its mails once. The order of steps survives a crash at any point:
// the mails are counted and written down, then published under queue ids that never change, then noted as done.
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { Job } from '@sekimori/mail/job'
import type { DmarcSubject } from '@sekimori/store/dmarc-result'
import type { ReportKey, ReportState } from '@sekimori/store/report'
import type { Counted } from '@sekimori/store/tally'
import type { TlsCount } from '@sekimori/store/tls-result'
import { aggregateReport } from './aggregate-report.ts'
import { factsOf, type ReportFacts } from './report-facts.ts'
import { type ReportFile, reportJob, reportQueueId } from './report-mail.ts'
import type { ReportUri } from './report-uri.ts'
import { tlsReport } from './tls-report.ts'

const compress = promisify(gzip)

export interface SendReportPorts {
  dmarc(key: ReportKey): Promise<DmarcSubject | undefined>
  tls(key: ReportKey): Promise<Counted<TlsCount>[]>
  /** Reject with DnsError when it can't be found out now. */
  dmarcDestinations(domain: string, rua: string): Promise<ReportUri[]>
  tlsDestinations(domain: string): Promise<ReportUri[]>
  /** False when the day has no room for further mails. */
  reserve(key: ReportKey, destinations: { destination: string; queueId?: string }[]): Promise<boolean>
  /** Those that have not got it yet. */
  open(key: ReportKey): Promise<Set<string>>
  publish(job: Job): Promise<void>
  post(url: URL, bytes: Buffer): Promise<void>
  delivered(key: ReportKey, destination: string): Promise<void>
}

export interface SentReport {
  state: Exclude<ReportState, 'waiting'>
  detail?: string
}

/** @throws when it could not be decided or delivered now: then it is tried again */
export async function sendReport(key: ReportKey, senderDomain: string, ports: SendReportPorts): Promise<SentReport> {
  const facts = factsOf(key, senderDomain)
  const wanted = await contentOf(key, facts, ports)
  if (wanted === undefined) return { state: 'unwanted', detail: 'there are no results' }
  const { bytes, uris } = wanted
  if (uris.length === 0) return { state: 'unwanted', detail: 'no destination that may be used' }
  const file: ReportFile = { kind: key.kind, bytes }
  const prepared = await Promise.all(uris.map((uri) => prepare(uri, file, facts)))
  const fitting = prepared.filter(({ uri, sizeBytes }) => sizeBytes <= (uri.maxBytes ?? Number.POSITIVE_INFINITY))
  if (fitting.length === 0) return { state: 'unwanted', detail: 'larger than every destination takes' }
  const reserved = fitting.map(({ uri: { kind, destination } }) =>
    kind === 'mail' ? { destination, queueId: reportQueueId(facts, destination) } : { destination },
  )
  if (!(await ports.reserve(key, reserved))) return { state: 'capped', detail: "over the day's share of reports" }
  const open = await ports.open(key)
  for (const delivery of fitting.filter(({ uri }) => open.has(uri.destination))) {
    await deliver(delivery, bytes, ports)
    await ports.delivered(key, delivery.uri.destination)
  }
  return { state: 'sent' }
}

async function contentOf(
  key: ReportKey,
  facts: ReportFacts,
  ports: SendReportPorts,
): Promise<{ bytes: Buffer; uris: ReportUri[] } | undefined> {
  switch (key.kind) {
    case 'dmarc': {
      const subject = await ports.dmarc(key)
      if (subject === undefined || subject.rows.length === 0) return undefined
      const uris = await ports.dmarcDestinations(key.policyDomain, subject.policy.rua)
      return { uris, bytes: await compress(aggregateReport(subject, facts)) }
    }
    case 'tls': {
      const uris = await ports.tlsDestinations(key.policyDomain)
      // Most domains ask for none: their results need not be read.
      const results = uris.length === 0 ? [] : await ports.tls(key)
      return { uris, bytes: await compress(JSON.stringify(tlsReport(results, facts))) }
    }
  }
}

interface Delivery {
  uri: ReportUri
  job?: Job
  /** As it travels (RFC 9990). */
  sizeBytes: number
}

async function prepare(uri: ReportUri, file: ReportFile, facts: ReportFacts): Promise<Delivery> {
  if (uri.kind === 'post') return { uri, sizeBytes: file.bytes.length }
  const job = await reportJob(file, facts, uri.address, uri.destination)
  return { uri, job, sizeBytes: job.content.kind === 'inline' ? job.content.bytes.length : 0 }
}

async function deliver({ uri, job }: Delivery, bytes: Buffer, ports: SendReportPorts): Promise<void> {
  if (job !== undefined) await ports.publish(job)
  else if (uri.kind === 'post') await ports.post(uri.url, bytes)
}
