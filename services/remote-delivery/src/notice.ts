// Telling the sender what became of the mail (RFC 3461 section 4.1, RFC 5321 section 4.5.5): one notice for all
// recipients that came to the same end together. A notice that is published again after a crash is known by queue id,
// recipients and action.
import type { Job, Recipient } from '@sekimori/mail/job'
import { notify, type Publication, publication } from '@sekimori/queue/queues'
import { retParameter } from './dsn-parameter.ts'
import type { OutboundMail } from './outbound-mail.ts'
import type { Failure } from './outcome.ts'

export interface Undelivered {
  recipient: Recipient
  failure: Omit<Failure, 'kind'>
}

type Action = 'failed' | 'delayed' | 'relayed'

const CONDITIONS = { failed: 'FAILURE', delayed: 'DELAY', relayed: 'SUCCESS' } as const
/** In one notice; a mail to thousands of addresses must not make one of megabytes. */
const RECIPIENTS_MOST = 100
/** Larger mail comes back as its header section only, also when the sender asked for all of it (RET=FULL). */
const RETURNED_MOST_BYTES = 262_144

/** Whether the sender wants to know: never for the null reverse-path; without NOTIFY both failures and delays. */
export function wantsNotice(job: Job, { notify }: Recipient, condition: 'FAILURE' | 'DELAY' | 'SUCCESS'): boolean {
  if (job.envelope.mailFrom === '') return false
  if (notify === undefined) return condition !== 'SUCCESS'
  return notify.some((keyword) => keyword.toUpperCase() === condition)
}

/** What the notifier is asked to write. The mail comes with failures that ask for it, its header section otherwise. */
export async function notices(
  job: Job,
  action: Action,
  undelivered: Undelivered[],
  mail: Pick<OutboundMail, 'head' | 'sizeBytes' | 'open'>,
): Promise<Publication[]> {
  const { content: _, ...header } = job
  const told = undelivered.filter(({ recipient }) => wantsNotice(job, recipient, CONDITIONS[action]))
  if (told.length === 0) return []
  const isWhole =
    action === 'failed' && retParameter(job.envelope.ret) === 'FULL' && mail.sizeBytes <= RETURNED_MOST_BYTES
  const bytes = isWhole ? Buffer.concat(await Array.fromAsync(mail.open())) : mail.head
  const content = { kind: 'inline' as const, bytes }
  const groups = Math.ceil(told.length / RECIPIENTS_MOST)
  return Array.from({ length: groups }, (_, index) => {
    const recipients = told.slice(index * RECIPIENTS_MOST, (index + 1) * RECIPIENTS_MOST).map(describe)
    const notice = { kind: 'undelivered' as const, action, recipients, job: header, content }
    return publication(notify, isWhole ? { ...notice, isWhole } : notice)
  })
}

function describe({ recipient, failure }: Undelivered) {
  return {
    address: recipient.address,
    ...(recipient.orcpt === undefined ? {} : { orcpt: recipient.orcpt }),
    status: failure.status,
    diagnostic: failure.diagnostic,
    ...(failure.remoteMta === undefined ? {} : { remoteMta: failure.remoteMta }),
  }
}
