// Scanner: every mail, and everything inside it, is looked at before it goes on, or is set aside.

import type { Content } from '@sekimori/mail/content'
import type { Job } from '@sekimori/mail/job'
import { openBroker } from '@sekimori/queue/broker'
import { consume } from '@sekimori/queue/consume'
import { scan, scanSlow } from '@sekimori/queue/queues'
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

/** Slow mails that are held: they go through the threads one by one. */
const SLOW_AT_A_TIME = 4

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
const ports: Omit<Ports, 'scan'> = {
  hostname: config.MAIL_HOSTNAME,
  head: (content) => readHead(open(content)),
  policy: openVirusPolicies(database),
  ...quarantine.handler,
}
const handlerBy = (how: 'scan' | 'scanUnlessSlow') => {
  const scanning = { ...ports, scan: (content: Content) => thorough[how](() => open(content)) }
  return unlessEnded(database, (job: Job) => handleScan(job, scanning))
}
const limits = { attemptLimit: config.ATTEMPT_LIMIT, drainTimeoutMs: config.DRAIN_TIMEOUT_MS }
const usual = { ...limits, prefetch: config.PREFETCH }
await using _consumer = await consume(broker, scan, handlerBy('scanUnlessSlow'), usual)
await using _slow = await consume(broker, scanSlow, handlerBy('scan'), { ...limits, prefetch: SLOW_AT_A_TIME })
await using _keeper = quarantine.startKeeper()
await using _rescan = startRescan(config, { service, database, engine, walker })
await service.untilStopped()
