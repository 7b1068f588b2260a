// Who is told of mail that was stopped or not looked into: the notices that the notifier is asked to write.
import type { JobHeader, Recipient } from '@sekimori/mail/job'
import type { UnscannableAction, UnscannableReason } from '@sekimori/mail/unscannable'
import { notify, type Publication, publication } from '@sekimori/queue/queues'
import type { Part } from '@sekimori/store/quarantine'
import { type PolicyPorts, withNotice } from './disposition.ts'

/** The notices of a part that was set aside. */
export async function tidingsOf(job: JobHeader, part: Part, head: Buffer, ports: PolicyPorts): Promise<Publication[]> {
  const content = { kind: 'inline' as const, bytes: head }
  switch (part.kind) {
    case 'infected':
      return [
        publication(notify, { kind: 'infected', signature: part.signature, job: about(job, part.recipients), content }),
      ]
    case 'held':
      return unscannableNotice(job, 'hold', part.recipients, part.reason, head, ports)
    case 'refused':
      return [
        ...(part.isReturned ? returned(job, part.recipients, part.reason, head) : []),
        ...(await unscannableNotice(job, 'refuse', part.recipients, part.reason, head, ports)),
      ]
  }
}

/** The notice about those of the recipients whose domain wants one. */
export async function unscannableNotice(
  job: JobHeader,
  action: UnscannableAction,
  recipients: Recipient[],
  reason: UnscannableReason,
  head: Buffer,
  ports: PolicyPorts,
): Promise<Publication[]> {
  const concerned = await withNotice(job, action, recipients, reason, ports)
  if (concerned.length === 0) return []
  const content = { kind: 'inline' as const, bytes: head }
  return [publication(notify, { kind: 'unscannable', action, reason, job: about(job, concerned), content })]
}

/** A failed delivery for the policy of a domain (RFC 3463 section 3.8: 5.7.1); RFC 3461 section 4.1 says who wants no notice. */
export function returned(
  job: JobHeader,
  recipients: Recipient[],
  reason: UnscannableReason,
  head: Buffer,
): Publication[] {
  const isWanted = ({ notify: wishes }: Recipient) =>
    wishes === undefined || wishes.some((wish) => wish.toUpperCase() === 'FAILURE')
  const diagnostic = `Not accepted: the mail can not be checked for viruses (${reason})`
  const failed = recipients.filter(isWanted).map(({ address, orcpt }) => ({
    address,
    ...(orcpt === undefined ? {} : { orcpt }),
    status: '5.7.1',
    diagnostic,
  }))
  if (failed.length === 0) return []
  const content = { kind: 'inline' as const, bytes: head }
  return [
    publication(notify, {
      kind: 'undelivered',
      action: 'failed',
      recipients: failed,
      job: about(job, recipients),
      content,
    }),
  ]
}

/** The job's header with only these recipients. */
function about(job: JobHeader, recipients: Recipient[]): JobHeader {
  const { content: _, ...header } = job as JobHeader & { content?: unknown }
  return { ...header, envelope: { ...job.envelope, recipients } }
}
