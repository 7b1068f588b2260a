// What every report says about itself: who made it, and about which UTC day.
import { derivedQueueIdAt } from '@sekimori/mail/queue-id'
import type { ReportKey } from '@sekimori/store/report'

const DAY_SECONDS = 86_400

export interface ReportFacts {
  policyDomain: string
  /** In whose name it is sent: a domain of ours. */
  organization: string
  contact: string
  /** The same whoever makes the report, and however often. */
  reportId: string
  /** The queue id of which those of its mails are derived. */
  queueId: string
  beginSeconds: number
  /** The last second of the day. */
  endSeconds: number
}

export function factsOf({ day, kind, policyDomain }: ReportKey, senderDomain: string): ReportFacts {
  const beginSeconds = Date.parse(`${day}T00:00:00Z`) / 1_000
  const endSeconds = beginSeconds + DAY_SECONDS - 1
  const queueId = derivedQueueIdAt((endSeconds + 1) * 1_000, `report ${kind} ${policyDomain}`)
  const contact = `postmaster@${senderDomain}`
  const reportId = `${queueId}@${senderDomain}`
  return { policyDomain, organization: senderDomain, contact, reportId, queueId, beginSeconds, endSeconds }
}
