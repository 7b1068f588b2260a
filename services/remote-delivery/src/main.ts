// Remote delivery: outbound mail goes to the servers of its recipients, now or by the schedule, or comes back.
import { createResolver } from '@sekimori/dns/resolver'
import { parseDnsServers } from '@sekimori/dns/settings'
import type { Job } from '@sekimori/mail/job'
import { openBroker } from '@sekimori/queue/broker'
import { consume } from '@sekimori/queue/consume'
import { deliverRemote } from '@sekimori/queue/queues'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { openDatabase } from '@sekimori/store/database'
import { openMailLock } from '@sekimori/store/mail-lock'
import { Alarm } from './alarm.ts'
import { schema } from './config.ts'
import { handleDeliverRemote } from './handler.ts'
import { drainSignal, openPorts, retryOptions } from './open-ports.ts'
import { startRetryLoop } from './retry-loop.ts'
import { trustAlso } from './trust.ts'
import { inTurns } from './turns.ts'

const config = loadSettings(schema)
await using service = await openService('remote-delivery', config)
await using database = await openDatabase(config, service)
await using locks = openMailLock(config, service)
await using broker = await openBroker(config, service)
await using resolver = createResolver({ servers: parseDnsServers(config.DNS_SERVERS) })
const alarm = new Alarm()
const drained = drainSignal(service.stopping, config.DRAIN_TIMEOUT_MS)
const resources = { config, service, database, broker, resolver, alarm, drained }
trustAlso(config.RELAY_CA_FILE)
await using ports = openPorts(resources)
await using _loop = startRetryLoop(ports.retry, alarm, retryOptions(resources))
const handle = inTurns(
  ({ queueId }: Job) => queueId,
  (job) => locks.during(job.queueId, drained, () => handleDeliverRemote(job, ports.handler)),
)
await using _consumer = await consume(broker, deliverRemote, handle, {
  prefetch: config.PREFETCH,
  attemptLimit: config.ATTEMPT_LIMIT,
  drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
})
await service.untilStopped()
