// Telling the sender of failed or delayed delivery (RFC 3461 section 4.1, RFC 5321 section 4.5.5): one notice for each
// recipient, so that a notice that is published again after a crash is known by (queue id, recipient, action).
import type { Job, Recipient } from '@sekimori/mail/job'
import { notify, type Publication, publication } from '@sekimori/queue/queues'
import type { Failure } from './outcome.ts'

export interface Undelivered {
  recipient: Recipient
  failure: Failure
}

/** Whether the sender wants to know: never for the null reverse-path; without NOTIFY both failures and delays. */
export function wantsNotice(job: Job, { notify }: Recipient, condition: 'FAILURE' | 'DELAY'): boolean {
  if (job.envelope.mailFrom === '') return false
  return notify === undefined || notify.some((keyword) => keyword.toUpperCase() === condition)
}

/** What the notifier is asked to write; `head` is the header section of the mail. */
export function notices(
  job: Job,
  action: 'failed' | 'delayed',
  undelivered: Undelivered[],
  head: Buffer,
): Publication[] {
  const { content: _, ...header } = job
  const condition = action === 'failed' ? 'FAILURE' : 'DELAY'
  return undelivered
    .filter(({ recipient }) => wantsNotice(job, recipient, condition))
    .map(({ recipient, failure }) =>
      publication(notify, {
        kind: 'undelivered',
        action,
        recipients: [
          {
            address: recipient.address,
            ...(recipient.orcpt === undefined ? {} : { orcpt: recipient.orcpt }),
            status: failure.status,
            diagnostic: failure.diagnostic,
            ...(failure.remoteMta === undefined ? {} : { remoteMta: failure.remoteMta }),
          },
        ],
        job: header,
        content: { kind: 'inline', bytes: head },
      }),
    )
}
