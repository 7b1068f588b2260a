// The SMTP TLS report as JSON (RFC 8460 section 4.4).
import type { Counted } from '@sekimori/store/tally'
import type { TlsCount } from '@sekimori/store/tls-result'
import type { ReportFacts } from './report-facts.ts'

export function tlsReport(results: Counted<TlsCount>[], facts: ReportFacts): object {
  const { organization, contact, reportId, beginSeconds, endSeconds } = facts
  const policies = Map.groupBy(results, ({ item }) => `${item.policyType}\n${item.policy}`)
  return {
    'organization-name': organization,
    'date-range': { 'start-datetime': dateTime(beginSeconds), 'end-datetime': dateTime(endSeconds) },
    'contact-info': contact,
    'report-id': reportId,
    policies: policies.values().map(policyResults).toArray(),
  }
}

function policyResults(results: Counted<TlsCount>[]): object {
  const { policyType, policy, policyDomain } = results[0]!.item
  const failures = results.filter(({ item }) => item.result !== 'successful')
  const sum = (counted: Counted<TlsCount>[]) => counted.reduce((total, { count }) => total + count, 0)
  const lines = policy === '' ? [] : policy.split('\n')
  const hosts = policyType === 'sts' ? lines.filter((line) => line.startsWith('mx: ')).map((line) => line.slice(4)) : []
  return {
    policy: {
      'policy-type': policyType,
      ...(lines.length === 0 ? {} : { 'policy-string': lines }),
      'policy-domain': policyDomain,
      ...(hosts.length === 0 ? {} : { 'mx-host': hosts }),
    },
    summary: {
      'total-successful-session-count': sum(results) - sum(failures),
      'total-failure-session-count': sum(failures),
    },
    ...(failures.length === 0 ? {} : { 'failure-details': failures.map(failureDetails) }),
  }
}

/** Policies that could not be fetched were no session with a server. */
function failureDetails({ item: { result, host, address }, count }: Counted<TlsCount>): object {
  return {
    'result-type': result,
    ...(host === '' ? {} : { 'receiving-mx-hostname': host }),
    ...(address === '' ? {} : { 'receiving-ip': address }),
    'failed-session-count': count,
  }
}

function dateTime(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().replace('.000Z', 'Z')
}
