// DMARC (RFC 9989): does an identifier that SPF or DKIM has verified belong to the author, and if none does, what
// does the owner of the author's domain ask for?
import type { Resolve } from '@sekimori/dns/resolver'
import type { PublishedPolicy } from '@sekimori/mail/dmarc-observation'
import type { DMARCResult } from 'mailauth'
import { evaluateDmarc } from 'mailauth/lib/dmarc/index.js'
import type { Author } from './author.ts'
import type { DkimFinding, DmarcFinding, DmarcPolicy, DmarcResult, SpfFinding } from './findings.ts'

const LONGEST_RUA = 1_000

/** The identifiers that were verified; only a `pass` among them counts. */
export interface Identifiers {
  spf: SpfFinding | undefined
  dkim: DkimFinding[]
}

const NOTHING = { result: 'none', policy: 'none' } as const

/** The verdict on a mail. An author who is not clear never has a pass; the strictest policy of all who may be meant counts. */
export async function checkDmarc(author: Author, found: Identifiers, resolver: Resolve): Promise<DmarcFinding> {
  switch (author.kind) {
    case 'address': {
      const spfDomains = found.spf?.result === 'pass' ? [found.spf.domain] : []
      const dkimDomains = found.dkim.flatMap(({ result, domain }) =>
        result === 'pass' && domain !== undefined ? [{ domain }] : [],
      )
      const verdict = await evaluate(author.address, spfDomains, dkimDomains, resolver)
      if (verdict === undefined) return { ...NOTHING, line: 'dmarc=none (no author)' }
      const published = publishedBy(verdict)
      return {
        result: verdict.status.result as DmarcResult,
        headerFrom: author.domain,
        policy: policyOf(verdict),
        aligned: { spf: isAligned(verdict.alignment?.spf), dkim: isAligned(verdict.alignment?.dkim) },
        ...(published === undefined ? {} : { published }),
        line: verdict.info,
      }
    }
    case 'unclear': {
      const policies = await Promise.all(author.domains.map((domain) => publishedPolicy(domain, resolver)))
      return { ...NOTHING, policy: strictest(policies), line: `dmarc=none (${author.reason})` }
    }
  }
}

async function evaluate(
  address: string,
  spfDomains: string[],
  dkimDomains: { domain: string }[],
  resolver: Resolve,
): Promise<DMARCResult | undefined> {
  const options = { headerFrom: [address], fromFields: 1, spfDomains, dkimDomains, resolver, strict: true }
  const { response } = await evaluateDmarc(options)
  return response || undefined
}

async function publishedPolicy(domain: string, resolver: Resolve): Promise<DmarcPolicy> {
  return policyOf(await evaluate(`postmaster@${domain}`, [], [], resolver))
}

const isAligned = (alignment: { result?: unknown } | undefined) => Boolean(alignment?.result)

/** The record as it was found; the library keeps it out of its declared type. */
function publishedBy(verdict: DMARCResult): PublishedPolicy | undefined {
  const { record, policyDomain, p, sp, np, alignment, testMode } = verdict as DMARCResult & {
    record?: Record<string, unknown>
    policyDomain?: string
    np?: string
    testMode?: boolean
  }
  if (record === undefined || !policyDomain || p === undefined) return undefined
  const { fo, rua } = record
  return {
    domain: policyDomain,
    p,
    sp: sp ?? p,
    ...(np === undefined ? {} : { np }),
    adkim: alignment?.dkim?.strict ? 's' : 'r',
    aspf: alignment?.spf?.strict ? 's' : 'r',
    ...(typeof fo === 'string' && /^[01ds:]{1,20}$/.test(fo) ? { fo } : {}),
    testing: testMode ? 'y' : 'n',
    rua: typeof rua === 'string' ? rua.slice(0, LONGEST_RUA) : '',
  }
}

/** What a record asks for; a verdict without a record asks for nothing. */
function policyOf(verdict: DMARCResult | undefined): DmarcPolicy {
  const policy = verdict?.policy
  return policy === 'reject' || policy === 'quarantine' ? policy : 'none'
}

function strictest(policies: DmarcPolicy[]): DmarcPolicy {
  if (policies.includes('reject')) return 'reject'
  return policies.includes('quarantine') ? 'quarantine' : 'none'
}
