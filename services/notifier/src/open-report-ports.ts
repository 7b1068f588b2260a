// The ports of the report loop on the real thing: Postgres, DNS, the broker, HTTPS.
import { parseDuration } from '@sekimori/config/duration'
import type { Resolver } from '@sekimori/dns/resolver'
import type { Broker } from '@sekimori/queue/broker'
import { publishAlone } from '@sekimori/queue/publish-alone'
import { publication, sign } from '@sekimori/queue/queues'
import type { Service } from '@sekimori/runtime/service'
import type { Database } from '@sekimori/store/database'
import { readDmarcSubject } from '@sekimori/store/dmarc-result'
import {
  leaseReports,
  markDelivered,
  openDeliveries,
  postponeReport,
  reserveDeliveries,
  settleReport,
} from '@sekimori/store/report'
import { clearReports, planReports, type ReportKind } from '@sekimori/store/report-plan'
import { findReporting } from '@sekimori/store/reporting'
import { readTlsResults } from '@sekimori/store/tls-result'
import type { Config } from './config.ts'
import { dmarcDestinations } from './report-destination.ts'
import type { ReportPorts } from './report-loop.ts'
import { postReport } from './report-post.ts'
import { tlsDestinations } from './tls-rpt-record.ts'

/** Reports in one round. */
const ROUND = 20
const LEASE_MS = 600_000
const PAUSE_MS = 1_800_000
const CLEAR_EVERY_MS = 3_600_000
/** Rows of a TLS report; a domain has few servers. */
const TLS_ROWS = 1_000
const DAY_MS = 86_400_000

export function openReportPorts(
  config: Config,
  service: Service,
  database: Database,
  broker: Broker,
  { resolve }: Pick<Resolver, 'resolve'>,
): ReportPorts {
  return {
    reporting: () => findReporting(database),
    plan: planner(config, database),
    lease: (kinds) => leaseReports(database, kinds, ROUND, LEASE_MS),
    dmarc: ({ day, policyDomain }) => readDmarcSubject(database, day, policyDomain),
    tls: ({ day, policyDomain }) => readTlsResults(database, day, policyDomain, TLS_ROWS),
    dmarcDestinations: (domain, rua) => dmarcDestinations(domain, rua, resolve),
    tlsDestinations: (domain) => tlsDestinations(domain, resolve),
    reserve: (key, destinations) => reserveDeliveries(database, key, destinations),
    open: (key) => openDeliveries(database, key),
    publish: (job) => publishAlone(broker, publication(sign, job)),
    post: (url, bytes) => postReport(url, bytes, resolve),
    delivered: (key, destination) => markDelivered(database, key, destination),
    settle: (key, { state, detail }) => settleReport(database, key, state, detail),
    postpone: (key, detail) => postponeReport(database, key, PAUSE_MS, detail),
    whenUp: (signal) => service.dependencies.whenUp(signal),
    log: service.log,
  }
}

function planner(config: Config, database: Database): (kinds: ReportKind[]) => Promise<void> {
  const options = {
    lagMs: parseDuration(config.REPORT_DELAY)!,
    spreadMs: parseDuration(config.REPORT_SPREAD)!,
    sharePercent: config.REPORT_SHARE_PERCENT,
  }
  const keepDays = Math.ceil(parseDuration(config.REPORT_RETENTION)! / DAY_MS)
  let clearedAt = Number.NEGATIVE_INFINITY
  return async (kinds) => {
    if (kinds.length > 0) await planReports(database, { kinds, ...options })
    if (performance.now() - clearedAt < CLEAR_EVERY_MS) return
    await clearReports(database, keepDays)
    clearedAt = performance.now()
  }
}
