// One session as TLS-RPT counts it (RFC 8460 section 4.3).
import type { TlsCount } from '@sekimori/store/tls-result'
import type { StsPolicy } from './mta-sts.ts'
import type { TlsResult } from './open-server.ts'

export function tlsCount({ policyDomain, policy, host, address, fault }: TlsResult): Omit<TlsCount, 'sessions'> {
  return {
    policyDomain,
    policyType: policy.kind,
    policy: policy.kind === 'sts' ? policyLines(policy.policy) : '',
    host,
    address,
    result: fault ?? 'successful',
  }
}

/** The policy as its file has it. */
function policyLines({ mode, maxAgeSeconds, mx }: StsPolicy): string {
  return ['version: STSv1', `mode: ${mode}`, ...mx.map((host) => `mx: ${host}`), `max_age: ${maxAgeSeconds}`].join('\n')
}
