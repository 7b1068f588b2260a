// Telling an authenticated sender who asked for it (NOTIFY=SUCCESS) that the mail has arrived (RFC 3461 section 5.2.3).
import { normalizeAddress } from '@sekimori/mail/address'
import type { Job, Recipient } from '@sekimori/mail/job'
import { notify, type Publication, publication } from '@sekimori/queue/queues'
import type { Lookup } from '@sekimori/store/directory'
import { type Failed, headIfThere } from './bounce.ts'
import type { Ports } from './ports.ts'

type Action = 'delivered' | 'expanded' | 'relayed'

const WORDS: Record<Action, string> = {
  delivered: 'Delivered',
  expanded: 'Passed on to the addresses that it stands for',
  relayed: 'Forwarded, without a copy here',
}

/** One notice for each way in which recipients were reached; a job that comes again gives the same ones. */
export async function confirmations(
  job: Job,
  failed: Failed[],
  ports: Pick<Ports, 'head' | 'lookup'>,
): Promise<Publication[]> {
  if (job.session.account === undefined || job.envelope.mailFrom === '') return []
  const reached = new Map<Action, Recipient[]>()
  const lost = new Set(failed.map(({ address }) => normalizeAddress(address)))
  for (const recipient of job.envelope.recipients.filter(isAskedFor)) {
    const action = actionOf(await ports.lookup(recipient.address), recipient.address, lost)
    if (action !== undefined) reached.set(action, [...(reached.get(action) ?? []), recipient])
  }
  if (reached.size === 0) return []
  const { content: _, ...header } = job
  const content = { kind: 'inline' as const, bytes: await headIfThere(job, ports) }
  return [...reached].map(([action, recipients]) => {
    const told = recipients.map(({ address, orcpt }) => ({
      address,
      ...(orcpt === undefined ? {} : { orcpt }),
      status: '2.0.0',
      diagnostic: WORDS[action],
    }))
    return publication(notify, { kind: 'undelivered', action, recipients: told, job: header, content })
  })
}

function isAskedFor({ notify: wishes = [] }: Recipient): boolean {
  return wishes.some((wish) => wish.toUpperCase() === 'SUCCESS')
}

/** Undefined for whom the mail has not reached. */
function actionOf(found: Lookup, address: string, lost: ReadonlySet<string>): Action | undefined {
  if (lost.has(normalizeAddress(address))) return undefined
  switch (found.kind) {
    case 'account':
      // name+tag is found as name.
      if (lost.has(found.address)) return undefined
      return found.keepsNoCopy === true ? 'relayed' : 'delivered'
    case 'list':
      return 'delivered'
    case 'alias':
      return 'expanded'
    case 'unknown':
    case 'foreign':
      return undefined
  }
}
