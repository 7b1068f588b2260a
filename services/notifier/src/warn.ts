// Virus warnings: who of those whom an infected mail concerns is told, and in what words; and the end of an account's
// sending when too much of it is infected.
import { normalizeAddress } from '@sekimori/mail/address'
import type { Content } from '@sekimori/mail/content'
import { headerValue, parseHeader } from '@sekimori/mail/header'
import type { JobHeader } from '@sekimori/mail/job'
import type { NoticeHeader } from '@sekimori/mail/notice'
import { derivedQueueId } from '@sekimori/mail/queue-id'
import { type Publication, publication, sign } from '@sekimori/queue/queues'
import type { Locale } from '@sekimori/store/account-admin'
import type { InfectedLimit, SendingStop } from '@sekimori/store/sending-stop'
import type { InfectedMail, WarningParty } from '@sekimori/store/warning-decision'
import { warningJob } from './compose.ts'
import { concernedParties, owners, type PartyPorts } from './parties.ts'
import { sendingStopText } from './sending-stop-text.ts'
import { shown, shownAddresses } from './shown.ts'
import { warningText } from './warning-text.ts'
import { type NoticePorts, withoutDetails } from './without-details.ts'

export interface WarnPorts extends PartyPorts, NoticePorts {
  /** Reads the header section that the notice carries. */
  head(content: Content): Promise<Buffer>
  /** Decides, once for each mail and party, who gets a warning; resolves to them and their languages. */
  decide(mail: InfectedMail, parties: WarningParty[]): Promise<Map<string, Locale>>
  /** Counts an account's infected mail; resolves to the account when this mail stopped its sending. */
  countInfected(job: JobHeader): Promise<SendingStop | undefined>
  infectedLimit: InfectedLimit
}

type Infected = Extract<NoticeHeader, { kind: 'infected' }> & { content: Content }

export async function warn({ job, signature, content, delivered }: Infected, ports: WarnPorts): Promise<Publication[]> {
  const head = await ports.head(content)
  if (job.session.receivedBy === 'internal') return withoutDetails(job, head, ports)
  const parties =
    delivered === undefined ? await concernedParties(job, ports) : await owners(job, delivered.list, ports)
  const mail = { job, signature, senders: sendersOf(job) }
  const decided = await ports.decide(
    mail,
    parties.map(({ address, list }) => ({ address, isListMember: list !== undefined })),
  )
  const facts = { ...factsOf(head, signature, job.queueId), wasDelivered: delivered !== undefined }
  const publications: Publication[] = []
  for (const party of parties) {
    const locale = decided.get(party.address)
    if (locale === undefined) continue
    const queueId = derivedQueueId(job.queueId, `infected ${party.address}`)
    const addressee = { address: party.address, locale }
    const text = warningText[locale](party, facts)
    publications.push(publication(sign, await warningJob(queueId, ports.hostname, addressee, text, job.queueId)))
  }
  // What was delivered long ago is no flood of now.
  return delivered === undefined ? [...publications, ...(await stopNotice(job, ports))] : publications
}

/** The owner of an account that is stopped is told once. That is no virus warning: it can't be switched off or suspended. */
async function stopNotice(job: JobHeader, ports: WarnPorts): Promise<Publication[]> {
  const stop = await ports.countInfected(job)
  if (stop === undefined) return []
  const { account: address, locale } = stop
  const text = sendingStopText[locale](address, ports.infectedLimit, job.queueId)
  const queueId = derivedQueueId(job.queueId, 'sending stopped')
  return [publication(sign, await warningJob(queueId, ports.hostname, { address, locale }, text))]
}

function sendersOf({ envelope, session }: JobHeader): string[] {
  const senders = [normalizeAddress(envelope.mailFrom), ...(session.account === undefined ? [] : [session.account])]
  return [...new Set(senders)].filter((address) => address !== '')
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
