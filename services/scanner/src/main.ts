// Scanner: every mail, and everything inside it, is looked at before it goes on, or is set aside.

import type { Job } from '@sekimori/mail/job'
import { openBroker } from '@sekimori/queue/broker'
import { consume } from '@sekimori/queue/consume'
import { scan } from '@sekimori/queue/queues'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { contentOpener, readHead } from '@sekimori/store/content'
import { openDatabase } from '@sekimori/store/database'
import { unlessEnded } from '@sekimori/store/ended-mail'
import { openVirusPolicies } from '@sekimori/store/virus-policy'
import { openArchiveWalker } from './archive/archive-walker.ts'
import { schema } from './config.ts'
import { openEngine } from './engine.ts'
import { handleScan, type Ports } from './handler.ts'
import { openQuarantine } from './open-quarantine.ts'
import { startRescan } from './rescan/open-rescan.ts'
import { startSignatureReport } from './signature-report.ts'
import { thoroughEngine } from './thorough.ts'

const config = loadSettings(schema)
await using service = await openService('scanner', config)
await using database = await openDatabase(config, service)
await using broker = await openBroker(config, service)
await using engine = openEngine(config, service)
await using _report = startSignatureReport(engine, database, service.log)
await using walker = await openArchiveWalker({ threads: 1 })
const thorough = thoroughEngine(engine, walker, { depth: config.ARCHIVE_DEPTH })
const open = contentOpener(database)
const quarantine = openQuarantine(config, database, broker)
const ports: Ports = {
  hostname: config.MAIL_HOSTNAME,
  scan: (content) => thorough.scan(() => open(content)),
  head: (content) => readHead(open(content)),
  policy: openVirusPolicies(database),
  ...quarantine.handler,
}
const handle = unlessEnded(database, (job: Job) => handleScan(job, ports))
await using _consumer = await consume(broker, scan, handle, {
  prefetch: config.PREFETCH,
  attemptLimit: config.ATTEMPT_LIMIT,
  drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
})
await using _keeper = quarantine.startKeeper()
await using _rescan = startRescan(config, { service, database, engine, walker })
await service.untilStopped()
