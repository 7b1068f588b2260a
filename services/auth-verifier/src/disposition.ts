// What the edge has done with a mail for its author's DMARC policy, as the mail itself says.
import type { Disposition } from '@sekimori/authentication/dmarc-observation'
import type { JobHeader } from '@sekimori/mail/job'

/** Refused mail never comes so far. The lines that we added are ours: those from outside are in the content. */
export function dispositionOf({ added }: Pick<JobHeader, 'added'>): Disposition {
  return added.some((line) => /^x-dmarc-quarantine:/i.test(line)) ? 'quarantine' : 'none'
}
