// Auth verifier: SPF, DKIM, DMARC and ARC of mail for local maildrops, recorded in its header.
import { observe } from '@sekimori/authentication/dmarc-observation'
import { watchDns } from '@sekimori/authentication/dns-watch'
import { createVerifier } from '@sekimori/authentication/verify'
import { createResolver } from '@sekimori/dns/resolver'
import { parseDnsServers } from '@sekimori/dns/settings'
import type { Content } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import { openBroker } from '@sekimori/queue/broker'
import { consume } from '@sekimori/queue/consume'
import { authenticate } from '@sekimori/queue/queues'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { contentOpener, readHead } from '@sekimori/store/content'
import { openDatabase } from '@sekimori/store/database'
import { openDmarcObserver } from '@sekimori/store/dmarc-observer'
import { unlessEnded } from '@sekimori/store/ended-mail'
import { schema } from './config.ts'
import { dispositionOf } from './disposition.ts'
import { handleAuthenticate, type Ports } from './handler.ts'

const config = loadSettings(schema)
await using service = await openService('auth-verifier', config)
await using database = await openDatabase(config, service)
await using broker = await openBroker(config, service)
await using resolver = createResolver({ servers: parseDnsServers(config.DNS_SERVERS) })
await using observer = openDmarcObserver(database, service.log)
await using dns = watchDns(resolver, service.dependencies, config.DNS_SERVERS !== '')
const open = contentOpener(database)
const head = (content: Content) => readHead(open(content))
const ports: Ports = {
  hostname: config.MAIL_HOSTNAME,
  verify: createVerifier({
    resolve: resolver.resolve,
    isDnsAway: dns.isAway,
    hostname: config.MAIL_HOSTNAME,
    open,
    head,
  }),
  head,
  note: (job, findings) => observer.note(() => observe(job, findings, dispositionOf(job))),
  reportFault: (job, error) => service.log.error({ queueId: job.queueId, err: error }, 'verification failed'),
}
const handle = unlessEnded(database, (job: Job) => handleAuthenticate(job, ports))
await using _consumer = await consume(broker, authenticate, handle, {
  prefetch: config.PREFETCH,
  attemptLimit: config.ATTEMPT_LIMIT,
  drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
})
await service.untilStopped()
