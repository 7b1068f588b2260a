// SPF of both identities of a session (RFC 7208 sections 2.3 and 2.4): MAIL FROM, and the name given in EHLO.
import type { DnsError } from '@sekimori/dns/dns-error'
import type { Resolve } from '@sekimori/dns/resolver'
import { spf } from 'mailauth/lib/spf/index.js'
import type { SpfFinding, SpfResult } from './findings.ts'

/** RFC 7208 section 4.6.4 asks for at least 20 seconds. */
const TIME_LIMIT_MS = 20_000

/** What the client of a session said and where it came from. `mailFrom` is '' for the null reverse-path. */
export interface SpfSession {
  clientAddress: string
  ehloName: string
  mailFrom: string
}

export interface SpfCheck {
  finding: SpfFinding
  /** The field for the header (section 9.1). */
  receivedSpf: string
  /** What the domain says about a fail (section 6.2); a stranger's text. */
  explanation?: string
}

/** check_host() for MAIL FROM, or for the EHLO name when the reverse-path is null. */
export async function checkSpf(session: SpfSession, hostname: string, resolver: Resolve): Promise<SpfCheck> {
  const { clientAddress, ehloName, mailFrom } = session
  const found = await spf({
    ip: clientAddress,
    helo: ehloName,
    sender: mailFrom,
    mta: hostname,
    resolver,
    strict: true,
    maxElapsedTime: TIME_LIMIT_MS,
  })
  const identity = mailFrom === '' ? 'helo' : 'mailfrom'
  return {
    finding: { result: found.status.result as SpfResult, domain: found.domain, line: found.info },
    receivedSpf: `${found.header} identity=${identity};`,
    ...(found.explanation === undefined ? {} : { explanation: found.explanation }),
  }
}

/** The EHLO name as an identity of its own; undefined when its domain says nothing about its hosts. */
export async function checkEhloName(
  session: SpfSession,
  hostname: string,
  resolver: Resolve,
): Promise<SpfFinding | undefined> {
  if (session.mailFrom === '') return undefined // checked as the identity that counts
  if (!(await hasPolicy(session.ehloName, resolver))) return undefined
  const { finding } = await checkSpf({ ...session, mailFrom: '' }, hostname, resolver)
  return finding.result === 'none' ? undefined : finding
}

/** Most hosts say nothing about themselves; one lookup, which is kept, tells so for a tenth of what the evaluation costs. */
async function hasPolicy(ehloName: string, resolver: Resolve): Promise<boolean> {
  if (!/^[^.].*\..*[^.\d\]]\.?$/.test(ehloName)) return false // an address literal, or a name of one label
  try {
    const records = await resolver(ehloName, 'TXT')
    return records.some((strings) => /^v=spf1(?: |$)/i.test(strings.join('')))
  } catch (error) {
    return !['ENOTFOUND', 'ENODATA', 'EBADNAME'].includes((error as DnsError).code)
  }
}
