// Scanner: every mail, and everything inside it, is looked at before it goes on, or is set aside.

import { openBroker } from '@sekimori/queue/broker'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { contentOpener, readHead } from '@sekimori/store/content'
import { openDatabase } from '@sekimori/store/database'
import { openVirusPolicies } from '@sekimori/store/virus-policy'
import { openArchiveWalker } from './archive/archive-walker.ts'
import { schema } from './config.ts'
import { consumeScans, type ScanPorts } from './consumers.ts'
import { openEngine } from './engine.ts'
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
const open = contentOpener(database)
const quarantine = openQuarantine(config, database, broker)
const ports: ScanPorts = {
  hostname: config.MAIL_HOSTNAME,
  thorough: thoroughEngine(engine, walker, { depth: config.ARCHIVE_DEPTH }),
  open,
  head: (content) => readHead(open(content)),
  policy: openVirusPolicies(database),
  ...quarantine.handler,
}
await using _consumers = await consumeScans(broker, database, ports, config)
await using _keeper = quarantine.startKeeper()
await using _rescan = startRescan(config, { service, database, engine, walker })
await service.untilStopped()
