// Writes to the people concerned: virus warnings and delivery status notifications. What it writes is mail like any other.
import type { Content } from '@sekimori/mail/content'
import type { Notice, NoticeHeader } from '@sekimori/mail/notice'
import { derivedQueueId } from '@sekimori/mail/queue-id'
import { type Publication, publication, sign } from '@sekimori/queue/queues'
import { dsnJob } from './compose.ts'
import { dsnText } from './dsn-text.ts'
import { noticeOfUnscannable, type UnscannablePorts } from './unscannable.ts'
import { type WarnPorts, warn } from './warn.ts'

export type Ports = WarnPorts & UnscannablePorts

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

type Undelivered = Extract<NoticeHeader, { kind: 'undelivered' }> & { content: Content }

/** Only an authenticated sender, or the account that had the mail handed on, is told; and never of mail with a null reverse-path (RFC 3464 section 2, RFC 5321 section 6.1). */
async function report(notice: Undelivered, ports: Ports): Promise<Publication[]> {
  const { job, action, recipients, content } = notice
  const account = job.session.account ?? job.forwarded?.account
  if (account === undefined || job.envelope.mailFrom === '') return []
  const preference = await ports.preference(account)
  if (preference === undefined) return []
  const text = dsnText[preference.locale](action, recipients, job.queueId)
  const cause = `${action} ${recipients
    .map(({ address }) => address)
    .sort()
    .join(' ')}`
  const addressee = { address: account, locale: preference.locale }
  const original = notice.isWhole && content.kind === 'inline' ? content.bytes : await ports.head(content)
  const queueId = derivedQueueId(job.queueId, cause)
  return [publication(sign, await dsnJob(queueId, ports.hostname, addressee, text, notice, original))]
}
