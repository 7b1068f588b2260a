// A notice of ours that was itself stopped, because it quotes what the scanner looks for (a stranger may write a
// signature into a subject): it is written once more, without a word that is not ours.
import { headerValue, parseHeader } from '@sekimori/mail/header'
import type { Job, JobHeader } from '@sekimori/mail/job'
import { derivedQueueId } from '@sekimori/mail/queue-id'
import { type Publication, publication, sign } from '@sekimori/queue/queues'
import type { NoticePreference } from '@sekimori/store/directory'
import { warningJob } from './compose.ts'
import { shown } from './shown.ts'

export interface NoticePorts {
  hostname: string
  /** Undefined when the account is gone. */
  preference(address: string): Promise<NoticePreference | undefined>
}

const OUTCOME = 'written without details'

/** The notices that take the place of the stopped one; `head` is the stopped notice's, whose Subject is ours. */
export async function withoutDetails(stopped: JobHeader, head: Buffer, ports: NoticePorts): Promise<Publication[]> {
  // There is nothing left that could be left out.
  if (stopped.history.some(({ outcome }) => outcome === OUTCOME)) return []
  const subject = shown(headerValue(parseHeader(head), 'subject'))
  const publications: Publication[] = []
  for (const { address } of stopped.envelope.recipients) {
    const preference = await ports.preference(address)
    if (preference === undefined) continue
    const queueId = derivedQueueId(stopped.queueId, `without details ${address}`)
    const text = { subject, body: bodyText[preference.locale](stopped.queueId) }
    const addressee = { address, locale: preference.locale }
    const job = await warningJob(queueId, ports.hostname, addressee, text, stopped.warning?.queueId)
    publications.push(publication(sign, marked(job)))
  }
  return publications
}

function marked(job: Job): Job {
  return { ...job, history: job.history.map((entry) => ({ ...entry, outcome: OUTCOME })) }
}

const bodyText = {
  ja: (queueId: string) =>
    [
      '件名のとおりお知らせします。',
      '対象のメールの件名や差出人などにウイルスの特徴が含まれているため、詳細は省略しました。',
      'お客様の操作は必要ありません。詳細は、受付番号を添えて運用者にお問い合わせください。',
      '',
      `受付番号: ${queueId}`,
      '',
      'このメールは自動的に送信されています。返信はできません。',
    ].join('\n'),
  en: (queueId: string) =>
    [
      'The subject says what this mail is about.',
      'Details are left out, because the subject, the sender or another field of the mail concerned sets off the virus check.',
      'You need not do anything. To learn more, give the queue id to your operator.',
      '',
      `Queue id: ${queueId}`,
      '',
      'This mail was sent automatically. Please do not reply.',
    ].join('\n'),
}
