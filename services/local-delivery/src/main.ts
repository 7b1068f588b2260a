// Local delivery: the last stage of inbound mail, into the maildrops.
import { openBroker } from '@sekimori/queue/broker'
import { consume } from '@sekimori/queue/consume'
import { deliverLocal } from '@sekimori/queue/queues'
import { loadSettings, openService } from '@sekimori/runtime/service'
import { openDatabase } from '@sekimori/store/database'
import { schema } from './config.ts'
import { startContentSweep } from './content-sweep.ts'
import { handleDelivery } from './handler.ts'
import { openJudge } from './open-judge.ts'
import { openPorts } from './open-ports.ts'
import { startUpkeep } from './upkeep.ts'

const config = loadSettings(schema)
await using service = await openService('local-delivery', config)
await using database = await openDatabase(config, service)
await using broker = await openBroker(config, service)
await using judge = openJudge(config, database, service)
const ports = openPorts(config, database, judge)
await using _sweep = startContentSweep(config, service, database)
await using _upkeep = startUpkeep(config, service, database)
await using _consumer = await consume(broker, deliverLocal, (job) => handleDelivery(job, ports), {
  prefetch: config.PREFETCH,
  attemptLimit: config.ATTEMPT_LIMIT,
  drainTimeoutMs: config.DRAIN_TIMEOUT_MS,
})
await service.untilStopped()
