// One session as TLS-RPT counts it (RFC 8460 section 4.3).
import type { TlsaRecord } from '@sekimori/dns/records'
import type { TlsCount } from '@sekimori/store/tls-result'
import type { StsPolicy } from './mta-sts.ts'
import type { TlsResult } from './tls-note.ts'

export function tlsCount({ policyDomain, policy, host, address, fault }: TlsResult): TlsCount {
  return {
    policyDomain,
    policyType: policy.kind,
    policy: textOf(policy),
    host,
    address,
    result: fault ?? 'successful',
  }
}

function textOf(policy: TlsResult['policy']): string {
  switch (policy.kind) {
    case 'sts':
      return policyLines(policy.policy)
    case 'tlsa':
      return policy.records.map(recordText).join('\n')
    case 'no-policy-found':
      return ''
  }
}

/** In presentation format (RFC 6698 section 2.2). */
function recordText({ usage, selector, matchingType, data }: TlsaRecord): string {
  return `${usage} ${selector} ${matchingType} ${data.toString('hex').toUpperCase()}`
}

/** The policy as its file has it. */
function policyLines({ mode, maxAgeSeconds, mx }: StsPolicy): string {
  return ['version: STSv1', `mode: ${mode}`, ...mx.map((host) => `mx: ${host}`), `max_age: ${maxAgeSeconds}`].join('\n')
}
