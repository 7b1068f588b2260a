// Mail that goes on to somebody outside: a mail of its own, with its own queue id and trace, from an address that takes
// its bounces; the original is not touched, so that its signatures hold.
import { createHash } from 'node:crypto'
import { domainOf, normalizeAddress } from '@sekimori/mail/address'
import type { Job } from '@sekimori/mail/job'
import { derivedQueueId } from '@sekimori/mail/queue-id'
import { type Publication, publication, sign } from '@sekimori/queue/queues'
import type { OutsideEnd } from './plan.ts'
import type { Ports } from './ports.ts'

/** `job` is the mail as it goes on: of a list with the list's fields and reverse-path, marked so. */
export type OutsideCopy = Omit<OutsideEnd, 'kind'> & { job: Job; isList?: true }

export interface Forward {
  queueId: string
  publication: Publication
}

/** About so many recipients share a mail. */
const RECIPIENTS_MOST = 200

/** One mail, or several when there are many recipients, for each address that hands the mail on. */
export async function forwardPublications(job: Job, copies: OutsideCopy[], ports: Ports): Promise<Forward[]> {
  const forwards: Forward[] = []
  for (const group of Map.groupBy(copies, ({ by }) => by).values()) {
    const first = group[0]!
    const mailFrom = first.isList === true ? first.job.envelope.mailFrom : await senderFor(job, first.by, ports)
    for (const [bucket, members] of inBuckets(group)) {
      const queueId = derivedQueueId(job.queueId, `forward ${first.by} ${bucket}`)
      forwards.push({ queueId, publication: publication(sign, forwardJob(first, queueId, mailFrom, members)) })
    }
  }
  return forwards
}

/**
 * The reverse-path of what goes on. The null one stays; an account's own address needs no rewriting, as its domain's SPF
 * record names us; any other sender is rewritten (SRS). Who can't be, is replaced by the address that hands the mail on.
 */
async function senderFor(job: Job, by: string, ports: Ports): Promise<string> {
  const { mailFrom } = job.envelope
  if (mailFrom === '') return ''
  if (job.session.account !== undefined && (await ports.lookup(mailFrom)).kind !== 'foreign') return mailFrom
  return (await ports.rewriteSender(mailFrom, domainOf(by))) ?? by
}

/** By their hash: should the members of a list change between two attempts, nobody moves from one mail to another. */
function inBuckets(group: OutsideCopy[]): Map<number, OutsideCopy[]> {
  const count = 2 ** Math.max(0, Math.ceil(Math.log2(group.length / RECIPIENTS_MOST)))
  const bucketOf = ({ address }: OutsideCopy) =>
    createHash('sha256').update(normalizeAddress(address)).digest().readUInt32BE() % count
  return Map.groupBy(group, bucketOf)
}

function forwardJob({ by, account, job }: OutsideCopy, queueId: string, mailFrom: string, group: OutsideCopy[]): Job {
  const { bodyType, smtpUtf8, requireTls } = job.envelope
  const addresses = group.map(({ address }) => address)
  const isUtf8 = smtpUtf8 === true || [mailFrom, ...addresses].some((address) => /[^\x20-\x7e]/.test(address))
  const { warning: _warning, released: _released, ...rest } = job
  return {
    ...rest,
    queueId,
    direction: 'outbound',
    envelope: {
      mailFrom,
      recipients: addresses.map((address) => ({ address })),
      ...(bodyType === undefined ? {} : { bodyType }),
      ...(isUtf8 ? { smtpUtf8: true } : {}),
      ...(requireTls === undefined ? {} : { requireTls }),
    },
    session: { receivedBy: 'internal' },
    forwarded: { by, of: job.queueId, ...(account === undefined ? {} : { account }) },
    added: [`Delivered-To: ${by}`, ...job.added],
    history: [...job.history, { stage: 'forward', at: Date.now(), outcome: `handed on for ${by}` }],
  }
}
