// Local delivery: the last stage of inbound mail, into the maildrops.
import { openBroker } from '@sekimori/queue/broker'
import { consume } from '@sekimori/queue/consume'
import { deliverLocal } from '@sekimori/queue/queues'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { contentOpener, readHead, releaseContent } from '@sekimori/store/content'
import { openDatabase } from '@sekimori/store/database'
import { listMembers, openDirectory } from '@sekimori/store/directory'
import { openMaildropDelivery } from '@sekimori/store/maildrop-delivery'
import { insertTrace } from '@sekimori/store/trace'
import { deliverWarning } from '@sekimori/store/warning-delivery'
import { schema } from './config.ts'
import { startContentSweep } from './content-sweep.ts'
import { handleDelivery, type Ports } from './handler.ts'

const config = loadSettings(schema)
await using service = await openService('local-delivery', config)
await using database = await openDatabase(config, service)
await using broker = await openBroker(config, service)
const open = contentOpener(database)
const ports: Ports = {
  lookup: openDirectory(database).lookup,
  members: (listAddress) => listMembers(database, listAddress),
  deliver: openMaildropDelivery(database),
  deliverWarning: (queueId, copy) => deliverWarning(database, queueId, copy),
  trace: (entries) => insertTrace(database, entries),
  release: (contentId, holder) => releaseContent(database, contentId, holder),
  head: (job) => readHead(open(job.content)),
}
await using _sweep = startContentSweep(config, service, database)
await using _consumer = await consume(broker, deliverLocal, (job) => handleDelivery(job, ports), {
  prefetch: config.PREFETCH,
  attemptLimit: config.ATTEMPT_LIMIT,
  drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
})
await service.untilStopped()
