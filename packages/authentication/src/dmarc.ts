// DMARC (RFC 9989): does an identifier that SPF or DKIM has verified belong to the author, and if none does, what
// does the owner of the author's domain ask for?
import type { Resolve } from '@sekimori/dns/resolver'
import type { DMARCResult } from 'mailauth'
import { evaluateDmarc } from 'mailauth/lib/dmarc/index.js'
import type { Author } from './author.ts'
import type { DkimFinding, DmarcFinding, DmarcPolicy, DmarcResult, SpfFinding } from './findings.ts'

/** The identifiers that were verified; only a `pass` among them counts. */
export interface Identifiers {
  spf: SpfFinding | undefined
  dkim: DkimFinding[]
}

/** The verdict on a mail. An author who is not clear never has a pass; the strictest policy of all who may be meant counts. */
export async function checkDmarc(author: Author, found: Identifiers, resolver: Resolve): Promise<DmarcFinding> {
  switch (author.kind) {
    case 'address': {
      const spfDomains = found.spf?.result === 'pass' ? [found.spf.domain] : []
      const dkimDomains = found.dkim.flatMap(({ result, domain }) =>
        result === 'pass' && domain !== undefined ? [{ domain }] : [],
      )
      const verdict = await evaluate(author.address, spfDomains, dkimDomains, resolver)
      if (verdict === undefined) return { result: 'none', policy: 'none', line: 'dmarc=none (no author)' }
      return {
        result: verdict.status.result as DmarcResult,
        headerFrom: author.domain,
        policy: policyOf(verdict),
        line: verdict.info,
      }
    }
    case 'unclear': {
      const policies = await Promise.all(author.domains.map((domain) => publishedPolicy(domain, resolver)))
      return { result: 'none', policy: strictest(policies), line: `dmarc=none (${author.reason})` }
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

/** What a record asks for; a verdict without a record asks for nothing. */
function policyOf(verdict: DMARCResult | undefined): DmarcPolicy {
  const policy = verdict?.policy
  return policy === 'reject' || policy === 'quarantine' ? policy : 'none'
}

function strictest(policies: DmarcPolicy[]): DmarcPolicy {
  if (policies.includes('reject')) return 'reject'
  return policies.includes('quarantine') ? 'quarantine' : 'none'
}
