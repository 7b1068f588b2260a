// Notifier: virus warnings and delivery status notifications, in the reader's language.
import { openBroker } from '@sekimori/queue/broker'
import { consume } from '@sekimori/queue/consume'
import { notify } from '@sekimori/queue/queues'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { contentOpener, readHead } from '@sekimori/store/content'
import { openDatabase } from '@sekimori/store/database'
import { listMembers, noticePreference, openDirectory } from '@sekimori/store/directory'
import { insertTrace } from '@sekimori/store/trace'
import { schema } from './config.ts'
import { handleNotice, type Ports } from './handler.ts'

const config = loadSettings(schema)
await using service = await openService('notifier', config)
await using database = await openDatabase(config, service)
await using broker = await openBroker(config, service)
const open = contentOpener(database)
const ports: Ports = {
  hostname: config.MAIL_HOSTNAME,
  localVirusWarning: config.LOCAL_VIRUS_WARNING,
  lookup: openDirectory(database).lookup,
  members: (listAddress) => listMembers(database, listAddress),
  preference: (address) => noticePreference(database, address),
  trace: (entries) => insertTrace(database, entries),
  head: (content) => readHead(open(content)),
}
await using _consumer = await consume(broker, notify, (notice) => handleNotice(notice, ports), {
  prefetch: config.PREFETCH,
  attemptLimit: config.ATTEMPT_LIMIT,
  drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
})
await service.untilStopped()
