// What a mail adds to the DMARC aggregate report of its author's domain (RFC 9990).

import { domainOf } from '@sekimori/mail/address'
import type { DmarcObservation, DmarcRow } from '@sekimori/mail/dmarc-observation'
import type { Job } from '@sekimori/mail/job'
import { parse } from 'tldts'
import type { DkimFinding, Findings } from './findings.ts'

/** What became of the mail under the policy. */
export type Disposition = 'none' | 'quarantine' | 'reject'

/** RFC 9990 lets a row have 100; a stranger's mail makes no row as large as that. */
const MOST_SIGNATURES = 5
/** Anything else is a stranger's try at something: such a signature, or mail, is in no report. */
const NAME = /^[\w.-]{1,253}$/

/** Undefined when nobody asks for reports on it, or it came from no other server. */
export function observe(job: Job, findings: Findings, disposition: Disposition): DmarcObservation | undefined {
  const { dmarc, spf } = findings
  const { published, headerFrom } = dmarc
  const { clientAddress, receivedBy } = job.session
  if (published === undefined || published.rua === '' || headerFrom === undefined || !NAME.test(published.domain))
    return undefined
  if (receivedBy !== 'mx' || clientAddress === undefined || dmarc.result === 'temperror') return undefined
  const envelopeFrom = domainOf(job.envelope.mailFrom)
  if (!NAME.test(headerFrom) || (envelopeFrom !== '' && !NAME.test(envelopeFrom))) return undefined
  const isSpfNamed = spf !== undefined && NAME.test(spf.domain)
  const scope = job.envelope.mailFrom === '' ? 'helo' : 'mfrom'
  const row: DmarcRow = {
    sourceIp: clientAddress,
    ...applied(findings, disposition),
    dkim: dmarc.aligned?.dkim ? 'pass' : 'fail',
    spf: dmarc.aligned?.spf ? 'pass' : 'fail',
    headerFrom: headerFrom.toLowerCase(),
    envelopeFrom,
    signatures: reported(findings.dkim, headerFrom.toLowerCase()),
    ...(isSpfNamed ? { spfResult: { domain: spf.domain.toLowerCase(), scope, result: spf.result } } : {}),
  }
  return { policy: published, organization: registered(published.domain), row }
}

function registered(domain: string): string {
  return parse(domain, { allowPrivateDomains: true }).domain ?? domain
}

/** `pass` says that a policy was there and had nothing to do; what was not done though it was asked for has a reason. */
function applied({ dmarc }: Findings, disposition: Disposition): Pick<DmarcRow, 'disposition' | 'override'> {
  const { published, result, policy } = dmarc
  if (result === 'pass') return { disposition: policy === 'none' ? 'none' : 'pass' }
  if (disposition !== 'none') return { disposition }
  if (published?.testing === 'y' && (published.p !== 'none' || published.sp !== 'none'))
    return { disposition, override: 'policy_test_mode' }
  return policy === 'none' ? { disposition } : { disposition, override: 'local_policy' }
}

/** In the order that RFC 9990 asks for: those that pass for the author first, those that don't pass last. */
function reported(found: DkimFinding[], headerFrom: string): DmarcRow['signatures'] {
  const rank = ({ result, domain }: DkimFinding) => {
    if (result !== 'pass') return 3
    if (domain?.toLowerCase() === headerFrom) return 0
    return registered(domain?.toLowerCase() ?? '') === registered(headerFrom) ? 1 : 2
  }
  return found
    .filter(({ domain, selector }) => NAME.test(domain ?? '') && NAME.test(selector ?? ''))
    .sort((one, other) => rank(one) - rank(other))
    .slice(0, MOST_SIGNATURES)
    .map(({ domain, selector, result }) => ({ domain: domain!.toLowerCase(), selector: selector!, result }))
}
