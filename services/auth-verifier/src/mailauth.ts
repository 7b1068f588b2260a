// SPF, DKIM, DMARC and ARC by mailauth, with our resolver.
import { Readable } from 'node:stream'
import type { Resolve } from '@sekimori/dns/resolver'
import type { OpenContent } from '@sekimori/mail/content'
import { asDelivered, headerBytes } from '@sekimori/mail/delivered'
import { parseHeader } from '@sekimori/mail/header'
import type { Job } from '@sekimori/mail/job'
import { readHead } from '@sekimori/store/content'
import { authenticate } from 'mailauth'
import { surplusSignatures, withinBudget } from './budget.ts'
import type { Findings } from './handler.ts'

/** A verifier for jobs. The signatures that we added ourselves count as part of the mail. */
export function createVerifier(
  resolve: Resolve,
  hostname: string,
  open: OpenContent,
  now?: () => number,
): (job: Job) => Promise<Findings> {
  return async (job) => {
    const { session, envelope } = job
    const isFromOutside = session.receivedBy === 'mx'
    const facts = isFromOutside
      ? { ip: session.clientAddress!, helo: session.ehloName || 'unknown', sender: envelope.mailFrom }
      : {}
    const surplus = surplusSignatures(parseHeader(await readHead(open(job.content))))
    const result = await authenticate(input(job, surplus, open), {
      ...facts,
      mta: hostname,
      resolver: withinBudget(resolve, now),
      trustReceived: false,
      // By the RFCs' letter: a body that was changed is dkim=fail (RFC 6376 section 6.1.3), not neutral.
      strict: true,
      disableBimi: true,
    })
    const spf = isFromOutside && result.spf ? result.spf : undefined
    const methods = [
      ...(spf ? [spf.info] : []),
      ...(result.dkim?.results ?? []).map((entry) => entry.info),
      ...(result.dmarc
        ? [result.dmarc.info]
        : [`dmarc=none${result.dmarcSkipReason ? ` (${result.dmarcSkipReason})` : ''}`]),
      ...(result.arc && result.arc.status?.result !== 'none' ? [result.arc.info] : []),
    ]
    return {
      methods: methods.filter((method): method is string => typeof method === 'string'),
      ...(spf?.header ? { receivedSpf: spf.header } : {}),
    }
  }
}

function input({ added, content }: Job, struck: number[], open: OpenContent): Buffer | Readable {
  const head = headerBytes(added)
  if (content.kind === 'inline' && struck.length === 0) return Buffer.concat([head, content.bytes])
  return Readable.from(asDelivered(head, open(content), struck), { objectMode: false })
}
