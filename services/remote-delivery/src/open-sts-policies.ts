// MTA-STS policies on the real thing: DNS, HTTPS, Postgres.
import type { Resolver } from '@sekimori/dns/resolver'
import type { Log } from '@sekimori/runtime/log'
import type { Database } from '@sekimori/store/database'
import { findStsPolicy, keepStsPolicy } from '@sekimori/store/mta-sts-policy'
import type { Tally } from '@sekimori/store/tally'
import type { TlsCount } from '@sekimori/store/tls-result'
import type { Config } from './config.ts'
import type { StsPolicy } from './mta-sts.ts'
import type { Exchangers } from './mx.ts'
import { fetchStsPolicy } from './sts-fetch.ts'
import { StsPolicies } from './sts-policies.ts'

interface Resources {
  config: Config
  resolver: Resolver
  database: Database
  log: Log
  exchangers: Exchangers
  results: Tally<TlsCount>
}

/** The policy of a domain; none while the operator does not want any to be looked for. */
export function openStsPolicies(resources: Resources): (domain: string) => Promise<StsPolicy | undefined> {
  const { config, resolver, database, log, exchangers, results } = resources
  if (config.MTA_STS === 'off') return async () => undefined
  const policies = new StsPolicies({
    resolve: resolver.resolve,
    log,
    find: (domain) => findStsPolicy(database, domain),
    keep: (domain, policy) => keepStsPolicy(database, domain, policy),
    fetch: (domain, id) =>
      fetchStsPolicy(domain, id, (host, signal) => exchangers.reachHost(host, config.MTA_STS_PORT, signal)),
    reportFault: (policyDomain, result) =>
      results.add({
        policyDomain,
        policyType: 'sts',
        policy: '',
        host: '',
        address: '',
        result,
      }),
  })
  return (domain) => policies.of(domain)
}
