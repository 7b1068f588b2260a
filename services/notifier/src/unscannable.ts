// Tells people of a domain that wants it of mail that the virus check could not look into: the local recipients of
// what came in, the sender of what is held. Who has switched warnings off is not told (S1-28), but for mail to lists (S1-32).
import type { Content } from '@sekimori/mail/content'
import { headerValue, parseHeader } from '@sekimori/mail/header'
import type { JobHeader } from '@sekimori/mail/job'
import type { NoticeHeader } from '@sekimori/mail/notice'
import { derivedQueueId } from '@sekimori/mail/queue-id'
import { type Publication, publication, sign } from '@sekimori/queue/queues'
import { type TraceEntry, traceEntry } from '@sekimori/store/trace'
import { warningJob } from './compose.ts'
import { concernedRecipients, type Party, type PartyPorts, wantsWarning } from './parties.ts'
import { shown, shownAddresses } from './shown.ts'
import { type UnscannableFacts, unscannableText } from './unscannable-text.ts'
import type { NoticePorts } from './without-details.ts'

export interface UnscannablePorts extends PartyPorts, NoticePorts {
  head(content: Content): Promise<Buffer>
  trace(entries: TraceEntry[]): Promise<void>
}

type Unscannable = Extract<NoticeHeader, { kind: 'unscannable' }> & { content: Content }

export async function noticeOfUnscannable(notice: Unscannable, ports: UnscannablePorts): Promise<Publication[]> {
  const { job, action } = notice
  const facts = factsOf(notice, await ports.head(notice.content))
  const publications: Publication[] = []
  const silenced: TraceEntry[] = []
  for (const party of await partiesOf(job, ports)) {
    const preference = await ports.preference(party.address)
    if (preference === undefined) continue
    if (!wantsWarning(party, preference)) {
      silenced.push(traceEntry(job, party.address, 'warning', 'dropped', 'virus warnings are switched off'))
      continue
    }
    const text = unscannableText[preference.locale](party, facts)
    const queueId = derivedQueueId(job.queueId, `unscannable ${job.direction} ${action} ${party.address}`)
    const addressee = { address: party.address, locale: preference.locale }
    publications.push(publication(sign, await warningJob(queueId, ports.hostname, addressee, text)))
  }
  if (silenced.length > 0) await ports.trace(silenced)
  return publications
}

async function partiesOf(job: JobHeader, ports: PartyPorts): Promise<Party[]> {
  if (job.direction !== 'submission') return concernedRecipients(job, ports)
  return job.session.account === undefined ? [] : [{ address: job.session.account, role: 'sender' }]
}

function factsOf({ job, action, reason }: Unscannable, head: Buffer): UnscannableFacts {
  const fields = parseHeader(head)
  const value = (name: string) => headerValue(fields, name)
  const [from, to] = [shownAddresses(value('from')), shownAddresses(value('to'))]
  const [subject, date] = [shown(value('subject')), shown(value('date'))]
  return { action, reason, subject, from, to, date, queueId: job.queueId }
}
