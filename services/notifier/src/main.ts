// Notifier: virus warnings and delivery status notifications, in the reader's language; DMARC and TLS reports; and dead jobs, for operators.
import { parseDuration } from '@sekimori/config/duration'
import { createResolver } from '@sekimori/dns/resolver'
import { parseDnsServers } from '@sekimori/dns/settings'
import { openBroker } from '@sekimori/queue/broker'
import { consume } from '@sekimori/queue/consume'
import { notify } from '@sekimori/queue/queues'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { openDatabase } from '@sekimori/store/database'
import { schema } from './config.ts'
import { openDeadJobs } from './dead-jobs.ts'
import { handleNotice } from './handler.ts'
import { startKeyNoticeLoop } from './key-notice-loop.ts'
import { openKeyNoticePorts, openOutboxPorts, openPorts, openSummaryPorts } from './open-ports.ts'
import { openReportPorts } from './open-report-ports.ts'
import { startOutboxLoop } from './outbox-loop.ts'
import { startReportLoop } from './report-loop.ts'
import { startSummaryLoop } from './summary-loop.ts'

const SUMMARY_POLL_MS = 5_000
const OUTBOX_POLL_MS = 2_000

const config = loadSettings(schema)
await using service = await openService('notifier', config)
await using database = await openDatabase(config, service)
await using broker = await openBroker(config, service)
const summaries = openSummaryPorts(config, service, database, broker)
await using _loop = startSummaryLoop(summaries, SUMMARY_POLL_MS, service.stopping)
const outbox = openOutboxPorts(service, database, broker)
await using _outbox = startOutboxLoop(outbox, OUTBOX_POLL_MS, service.stopping)
const keys = openKeyNoticePorts(config, service, database, broker)
await using _keys = startKeyNoticeLoop(keys, parseDuration(config.DKIM_NOTICE_POLL_INTERVAL)!, service.stopping)
await using resolver = createResolver({ servers: parseDnsServers(config.DNS_SERVERS) })
const reports = openReportPorts(config, service, database, broker, resolver)
await using _reports = startReportLoop(reports, parseDuration(config.REPORT_POLL_INTERVAL)!, service.stopping)
await using _dead = await openDeadJobs(broker, database)
const ports = openPorts(config, database)
await using _consumer = await consume(broker, notify, (notice) => handleNotice(notice, ports), {
  prefetch: config.PREFETCH,
  attemptLimit: config.ATTEMPT_LIMIT,
  drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
})
await service.untilStopped()
