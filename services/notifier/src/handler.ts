// Writes to the people concerned: virus warnings and delivery status notifications. What it writes is mail like any other.
import type { Content } from '@sekimori/mail/content'
import { headerValue, parseHeader } from '@sekimori/mail/header'
import type { JobHeader } from '@sekimori/mail/job'
import type { Notice, NoticeHeader } from '@sekimori/mail/notice'
import { derivedQueueId } from '@sekimori/mail/queue-id'
import { type Publication, publication, sign } from '@sekimori/queue/queues'
import { type TraceEntry, traceEntry } from '@sekimori/store/trace'
import { dsnJob, warningJob } from './compose.ts'
import { dsnText } from './dsn-text.ts'
import { concernedParties, type Party, type PartyPorts, wantsWarning } from './parties.ts'
import { shown, shownAddresses } from './shown.ts'
import { noticeOfUnscannable } from './unscannable.ts'
import { warningText } from './warning-text.ts'
import { withoutDetails } from './without-details.ts'

export interface Ports extends PartyPorts {
  hostname: string
  /** Reads the header section that the notice carries. */
  head(content: Content): Promise<Buffer>
  /** Writes that a warning was not sent, and why. */
  trace(entries: TraceEntry[]): Promise<void>
}

export async function handleNotice(notice: Notice, ports: Ports): Promise<Publication[]> {
  switch (notice.kind) {
    case 'infected':
      return warn(notice, ports)
    case 'unscannable':
      return noticeOfUnscannable(notice, ports)
    case 'undelivered':
      return report(notice, ports)
  }
}

type Infected = Extract<NoticeHeader, { kind: 'infected' }> & { content: Content }
type Undelivered = Extract<NoticeHeader, { kind: 'undelivered' }> & { content: Content }

async function warn({ job, signature, content }: Infected, ports: Ports): Promise<Publication[]> {
  const head = await ports.head(content)
  if (job.session.receivedBy === 'internal') return withoutDetails(job, head, ports)
  const facts = factsOf(head, signature, job.queueId)
  const publications: Publication[] = []
  const silenced: Party[] = []
  for (const party of await concernedParties(job, ports)) {
    const preference = await ports.preference(party.address)
    if (preference === undefined) continue
    if (!wantsWarning(party, preference)) {
      silenced.push(party)
      continue
    }
    const text = warningText[preference.locale](party, facts)
    const queueId = derivedQueueId(job.queueId, `infected ${party.address}`)
    const addressee = { address: party.address, locale: preference.locale }
    publications.push(publication(sign, await warningJob(queueId, ports.hostname, addressee, text)))
  }
  if (silenced.length > 0) await ports.trace(silenced.map(({ address }) => droppedWarning(job, address)))
  return publications
}

function droppedWarning(job: JobHeader, address: string): TraceEntry {
  return traceEntry(job, address, 'warning', 'dropped', 'virus warnings are switched off')
}

function factsOf(head: Buffer, signature: string, queueId: string) {
  const fields = parseHeader(head)
  const value = (name: string) => headerValue(fields, name)
  return {
    signature,
    subject: shown(value('subject')),
    from: shownAddresses(value('from')),
    to: shownAddresses(value('to')),
    date: shown(value('date')),
    queueId,
  }
}

/** Only an authenticated sender is told, and never of mail with a null reverse-path (RFC 3464 section 2, RFC 5321 section 6.1). */
async function report(notice: Undelivered, ports: Ports): Promise<Publication[]> {
  const { job, action, recipients, content } = notice
  const { account } = job.session
  if (account === undefined || job.envelope.mailFrom === '') return []
  const preference = await ports.preference(account)
  if (preference === undefined) return []
  const text = dsnText[preference.locale](action, recipients, job.queueId)
  const cause = `${action} ${recipients
    .map(({ address }) => address)
    .sort()
    .join(' ')}`
  const addressee = { address: account, locale: preference.locale }
  const head = await ports.head(content)
  return [
    publication(sign, await dsnJob(derivedQueueId(job.queueId, cause), ports.hostname, addressee, text, notice, head)),
  ]
}
