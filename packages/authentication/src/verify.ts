// SPF, DKIM, DMARC and ARC of one mail on its way to a local maildrop.
import { Readable } from 'node:stream'
import type { Resolve } from '@sekimori/dns/resolver'
import type { Content, OpenContent } from '@sekimori/mail/content'
import { asDelivered, headerBytes } from '@sekimori/mail/delivered'
import { type HeaderField, parseHeader } from '@sekimori/mail/header'
import type { Job } from '@sekimori/mail/job'
import { DependencyAway } from '@sekimori/runtime/dependency'
import { type Author, readAuthor } from './author.ts'
import { surplusSignatures, withinBudget } from './budget.ts'
import { checkDmarc } from './dmarc.ts'
import type { DmarcFinding, Findings } from './findings.ts'
import { checkSignatures, type SignatureFindings } from './signatures.ts'
import { checkEhloName, checkSpf, type SpfSession } from './spf.ts'

export type Verify = (job: Job) => Promise<Findings>

export interface VerifierOptions {
  resolve: Resolve
  /** Whether no DNS server says anything: then there is no verdict, and the mail waits. */
  isDnsAway: () => Promise<boolean>
  /** Our name, which macros and explanations of SPF may mention. */
  hostname: string
  open: OpenContent
  /** The header section of a mail. */
  head: (content: Content) => Promise<Buffer>
  /** Clock for the time that one mail may take, in milliseconds. */
  now?: () => number
}

/**
 * A verifier for jobs. The signatures that we added ourselves count as part of the mail. A verifier rejects with
 * DependencyAway while DNS is away.
 */
export function createVerifier({ resolve, isDnsAway, hostname, open, head, now }: VerifierOptions): Verify {
  return async (job) => {
    const { resolver, hasMetSilence } = withinBudget(resolve, now)
    const session = sessionOf(job)
    const fields = parseHeader(await head(job.content))
    const facts = {
      receivedAt: new Date(job.acceptedAt),
      ...(session === undefined ? {} : { clientAddress: session.clientAddress }),
    }
    const [spf, helo, signatures] = await Promise.all([
      session && checkSpf(session, hostname, resolver),
      session && checkEhloName(session, hostname, resolver),
      checkSignatures(input(job, surplusSignatures(fields), open), facts, resolver),
    ])
    const author = authorOf(fields, signatures)
    const dmarc = await checkDmarc(author, { spf: spf?.finding, dkim: signatures.dkim }, resolver)
    if (hasMetSilence() && (await isDnsAway())) throw new DependencyAway('dns')
    return {
      ...(spf === undefined ? {} : { spf: spf.finding, receivedSpf: spf.receivedSpf }),
      ...(helo === undefined ? {} : { helo }),
      dkim: signatures.dkim,
      dmarc: session === undefined ? withoutSession(dmarc) : dmarc,
      ...(signatures.arc.result === 'none' ? {} : { arc: signatures.arc }),
    }
  }
}

/** The session of mail from another server; mail of our accounts and of our own came from no other host. */
function sessionOf({ session, envelope }: Job): SpfSession | undefined {
  if (session.receivedBy !== 'mx') return undefined
  return {
    clientAddress: session.clientAddress ?? '',
    ehloName: session.ehloName ?? '',
    mailFrom: envelope.mailFrom,
  }
}

function authorOf(fields: HeaderField[], { fromFields }: SignatureFindings): Author {
  const author = readAuthor(fields)
  if (author.kind === 'unclear' || fromFields === 1) return author
  return { kind: 'unclear', reason: 'a From field that can be read in two ways', domains: [author.domain] }
}

/**
 * Mail that came from no other server has no SPF result that could align, so its domain's policy does not apply to
 * it: its sender has logged in, and From is checked against the account.
 */
function withoutSession(dmarc: DmarcFinding): DmarcFinding {
  if (dmarc.result !== 'fail') return dmarc
  const line = `dmarc=none (not received from another server) header.from=${dmarc.headerFrom}`
  return { ...dmarc, result: 'none', policy: 'none', line }
}

function input({ added, content }: Job, struck: number[], open: OpenContent): Buffer | Readable {
  const head = headerBytes(added)
  if (content.kind === 'inline' && struck.length === 0) return Buffer.concat([head, content.bytes])
  return Readable.from(asDelivered(head, open(content), struck), { objectMode: false })
}
