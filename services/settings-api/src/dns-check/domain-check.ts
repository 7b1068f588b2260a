// Checks all that a domain publishes for its mail, with one resolver that is bounded in questions and in time.
import { DnsError } from '@sekimori/dns/dns-error'
import { createResolver, type Resolve } from '@sekimori/dns/resolver'
import type { DkimKeyRecord } from '@sekimori/store/dkim-key'
import { checkDkim } from './dkim-check.ts'
import { checkMtaSts } from './mta-sts-check.ts'
import { checkMx } from './mx-check.ts'
import type { PolicyHostOptions } from './policy-host.ts'
import { checkDmarc, checkTlsRpt } from './policy-records.ts'
import { type RecordCheck, weights } from './record-check.ts'
import { checkSpf } from './spf-check.ts'

const MOST_QUESTIONS = 300
const TIME_MS = 20_000

export interface DomainCheckInput {
  domain: string
  mailHostname: string
  dnsServers: string[]
  keys: DkimKeyRecord[]
  policyHost?: PolicyHostOptions | undefined
}

export type CheckResult = 'right' | (typeof weights)[number]

/** Every check, each with its result. */
export async function checkDomain(input: DomainCheckInput): Promise<(RecordCheck & { result: CheckResult })[]> {
  await using resolver = createResolver({ servers: input.dnsServers, timeoutMs: 2_000 })
  const context = { ...input, resolve: bounded(resolver.resolve) }
  const checks = await Promise.all([
    checkMx(context),
    checkSpf(context),
    checkDkim(context, input.keys),
    checkDmarc(context),
    checkMtaSts(context, input.policyHost),
    checkTlsRpt(context),
  ])
  return checks.flat().map((check) => ({ ...check, result: resultOf(check) }))
}

function resultOf({ notes }: RecordCheck): CheckResult {
  return weights.find((weight) => notes.some((note) => note.weight === weight)) ?? 'right'
}

/** What a domain's own records lead to may be without end: further questions fail as if nobody answered. */
function bounded(resolve: Resolve): Resolve {
  const endsAt = performance.now() + TIME_MS
  let questions = 0
  const limited = async (name: string, type: string) => {
    if (++questions > MOST_QUESTIONS || performance.now() > endsAt) throw new DnsError('ETIMEOUT', name, type)
    return resolve(name, type)
  }
  return limited as Resolve
}
