// What enforcing DMARC needs: the verifier, with DNS and stored content, and a domain's wish.
import { observe } from '@sekimori/authentication/dmarc-observation'
import { watchDns } from '@sekimori/authentication/dns-watch'
import { createVerifier } from '@sekimori/authentication/verify'
import { createResolver } from '@sekimori/dns/resolver'
import { parseDnsServers } from '@sekimori/dns/settings'
import { contentHolder } from '@sekimori/mail/content'
import { Dependencies } from '@sekimori/runtime/dependency'
import type { Log } from '@sekimori/runtime/log'
import { contentOpener, readHead, releaseContent } from '@sekimori/store/content'
import type { Database } from '@sekimori/store/database'
import { openDmarcObserver } from '@sekimori/store/dmarc-observer'
import { openDmarcPolicies } from '@sekimori/store/dmarc-policy'
import { traceEnd } from '@sekimori/store/trace'
import type { Config } from './config.ts'
import type { EnforcementPorts } from './enforcement.ts'

/** Dispose it after the listener. */
export function openEnforcement(
  config: Pick<Config, 'DNS_SERVERS' | 'MAIL_HOSTNAME'>,
  database: Database,
  log: Log,
): { ports: EnforcementPorts } & AsyncDisposable {
  const resources = new AsyncDisposableStack()
  const resolver = resources.use(createResolver({ servers: parseDnsServers(config.DNS_SERVERS) }))
  // Only domains that enforce need DNS: while it is away the edge stays ready for all others.
  const dns = resources.use(watchDns(resolver, new Dependencies(), config.DNS_SERVERS !== ''))
  const observer = resources.use(openDmarcObserver(database, log))
  const open = contentOpener(database)
  const ports: EnforcementPorts = {
    dmarcPolicy: openDmarcPolicies(database),
    verify: createVerifier({
      resolve: resolver.resolve,
      isDnsAway: dns.isAway,
      hostname: config.MAIL_HOSTNAME,
      open,
      head: (content) => readHead(open(content)),
    }),
    note: (job, findings) => observer.note(() => observe(job, findings, 'reject')),
    traceRefusal: (job, detail) => traceEnd(database, job, 'mx', 'refused', detail),
    release: (queueId) => releaseContent(database, queueId, contentHolder(queueId, 'inbound')),
    reportFault: (job, error) => log.error({ queueId: job.queueId, err: error }, 'verification failed'),
  }
  return { ports, [Symbol.asyncDispose]: () => resources.disposeAsync() }
}
