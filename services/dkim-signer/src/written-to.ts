// Notes the domains that accounts write to: whom somebody writes to is no lookalike to him.
import { compared } from '@sekimori/authentication/lookalike'
import { domainOf } from '@sekimori/mail/address'
import type { Job } from '@sekimori/mail/job'
import type { Handler } from '@sekimori/queue/consume'
import type { ContactNotebook } from '@sekimori/store/contact-notebook'

const MOST_DOMAINS = 20

/** The handler, with a note of the recipients' domains when it is done. */
export function notingRecipients(handler: Handler<Job>, notebook: Pick<ContactNotebook, 'note'>): Handler<Job> {
  return async (job) => {
    const publications = await handler(job)
    const { account } = job.session
    // What a list or an alias hands on, its sender has not written to these.
    if (account === undefined || job.forwarded !== undefined) return publications
    const domains = new Set(
      job.envelope.recipients.map(({ address }) => domainOf(address)).filter((name) => name !== ''),
    )
    for (const domain of [...domains].slice(0, MOST_DOMAINS))
      notebook.note({ account, domain: compared(domain).registrable, isWrittenTo: true })
    return publications
  }
}
