// Prometheus metrics that every service has; names follow the project's prefix and the base units of Prometheus.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** The one registry of the process. */
export const registry = new Registry()

/** How long a finished job took in its stage. */
export const jobSeconds = new Histogram({
  name: 'sekimori_job_seconds',
  help: 'Time from delivery by the broker to acknowledgement, by queue and outcome',
  labelNames: ['queue', 'outcome'],
  buckets: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 60],
  registers: [registry],
})

export const deadJobs = new Counter({
  name: 'sekimori_dead_jobs_total',
  help: 'Jobs that were put into a dead queue',
  labelNames: ['queue'],
  registers: [registry],
})

export const acceptedMails = new Counter({
  name: 'sekimori_accepted_mails_total',
  help: 'Mails that an edge answered with 250',
  labelNames: ['listener'],
  registers: [registry],
})

export const refusedCommands = new Counter({
  name: 'sekimori_refused_total',
  help: 'Commands that an edge refused, by reply code',
  labelNames: ['code'],
  registers: [registry],
})

export const logins = new Counter({
  name: 'sekimori_logins_total',
  help: 'Logins by result',
  labelNames: ['result'],
  registers: [registry],
})

export const limitRefusals = new Counter({
  name: 'sekimori_limit_refusals_total',
  help: 'Sessions, mails and recipients that were refused because a limit was reached',
  labelNames: ['limit'],
  registers: [registry],
})

export const sessions = new Gauge({
  name: 'sekimori_sessions',
  help: 'Open client sessions',
  registers: [registry],
})

/** How often the lag of the event loop is looked at: each look wakes a process that has nothing to do. */
const LAG_EVERY_MS = 100

/** Starts the process metrics (CPU, memory, event loop). */
export function collectProcessMetrics(service: string): void {
  registry.setDefaultLabels({ service })
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_EVERY_MS })
}
