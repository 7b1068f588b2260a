// The ports of handler and retry loop on the real things: database, broker, remote servers.
import { parseDuration } from '@sekimori/config/duration'
import type { Resolver } from '@sekimori/dns/resolver'
import type { Broker } from '@sekimori/queue/broker'
import type { Publication } from '@sekimori/queue/queues'
import type { Service } from '@sekimori/runtime/service'
import { endSpan, SpanKind, startSpan, traceparentOf } from '@sekimori/runtime/telemetry'
import { contentOpener, readHead } from '@sekimori/store/content'
import type { Database } from '@sekimori/store/database'
import { openEndRecorder, recordAttempt, releaseJob, settledRecipients } from '@sekimori/store/deferred'
import { leaseDueMail, markDelayNotified, renewLeases } from '@sekimori/store/deferred-lease'
import type { Alarm } from './alarm.ts'
import { type AttemptPorts, attempt } from './attempt.ts'
import type { Config } from './config.ts'
import type { Ports } from './handler.ts'
import { insist } from './insist.ts'
import { type Delivering, openDelivery } from './open-delivery.ts'
import { outboundMail } from './outbound-mail.ts'
import type { RetryOptions, RetryPorts } from './retry-loop.ts'
import { readSchedule } from './schedule.ts'

/** A crashed replica's mails rest for this long. */
const LEASE_MS = 60_000

export interface Resources {
  config: Config
  service: Service
  database: Database
  broker: Broker
  resolver: Resolver
  alarm: Alarm
  /** Aborts when there is no more time for dialogues. */
  drained: AbortSignal
}

/** Aborts `ms` after `stopping`. */
export function drainSignal(stopping: AbortSignal, ms: number): AbortSignal {
  const controller = new AbortController()
  stopping.addEventListener('abort', () => setTimeout(() => controller.abort(), ms).unref(), { once: true })
  return controller.signal
}

export interface OpenPorts extends AsyncDisposable {
  handler: Ports
  retry: RetryPorts
}

/** The ports of the handler and of the loop; both share sessions and the limits on dialogues. Disposing ends the sessions. */
export function openPorts(resources: Resources): OpenPorts {
  const { config, database, service, drained, resolver } = resources
  const delivery = openDelivery(config, resolver, database, service.log)
  const common = openAttemptPorts(resources, delivery)
  const recordEnds = openEndRecorder(database)
  const handler: Ports = {
    ...common,
    // When nothing is put off and nobody is told, there is no schedule to mind: the ends of many mails share a statement.
    record: (job, result, expiresAt) =>
      result.deferred.length > 0 || (result.notices ?? []).length > 0
        ? common.record(job, result, expiresAt)
        : insist(() => recordEnds(result.ended), service.dependencies, drained),
    settledRecipients: (queueId) => settledRecipients(database, queueId),
    release: (job) => releaseJob(database, job),
    drained,
  }
  const retry: RetryPorts = {
    lease: (limit) => leaseDueMail(database, limit, LEASE_MS, delivery.restingDomains()),
    renew: (mails) => renewLeases(database, mails, LEASE_MS),
    attempt: (mail, signal) => attempt(mail.job, mail.job.envelope.recipients, mail, common, signal),
    whenUp: (signal) => service.dependencies.whenUp(signal),
    log: service.log,
  }
  return { handler, retry, [Symbol.asyncDispose]: () => delivery[Symbol.asyncDispose]() }
}

export function retryOptions({ config, service, drained }: Resources): RetryOptions {
  return {
    pollMs: parseDuration(config.RETRY_POLL_INTERVAL)!,
    leaseMs: LEASE_MS,
    concurrency: config.DELIVERY_CONCURRENCY,
    stopping: service.stopping,
    drained,
  }
}

function openAttemptPorts(resources: Resources, delivery: Delivering): AttemptPorts {
  const { config, service, database, broker, alarm, drained } = resources
  const { dependencies } = service
  const open = contentOpener(database)
  return {
    ...delivery.attempt,
    schedule: readSchedule(config),
    prepare: async (job) => outboundMail(job, await readHead(open(job.content)), open),
    async record(job, result, expiresAt) {
      await insist(() => recordAttempt(database, job, result, expiresAt), dependencies, drained)
      for (const { nextAttemptAt } of result.deferred) alarm.wakeAt(nextAttemptAt.getTime())
    },
    publish: (notice) => insist(() => publish(broker, notice), dependencies, drained),
    markDelayNotified: (queueId, recipients) =>
      insist(() => markDelayNotified(database, queueId, recipients), dependencies, drained),
  }
}

async function publish(broker: Broker, notice: Publication): Promise<void> {
  const span = startSpan(`${notice.queue.name} publish`, SpanKind.PRODUCER)
  try {
    await broker.publisher.publish(notice, traceparentOf(span))
    endSpan(span, 'published')
  } catch (error) {
    endSpan(span, 'failed', error)
    throw error
  }
}
